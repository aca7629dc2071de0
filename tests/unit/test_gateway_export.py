"""Tables of items and verdicts: harmless in a spreadsheet, whole in Parquet, the same in all three formats."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pyarrow import parquet

from schemas.prediction import Category
from workers.gateway.export.formats import MEDIA_TYPES, Format, writer_of
from workers.gateway.export.rows import COLUMNS, Row, item_row, verdict_row

AT = datetime(2026, 11, 21, 12, 0, 0, 5_000, tzinfo=UTC)
EVENT = "0b8e0000-0000-4000-8000-000000000001"
HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]


def verdict(**fields: Any) -> Row:
    """A row."""
    return verdict_row({"_id": "f", "event_id": "e", "verdict": "rejected", "by": "ana", "at": AT} | fields, {})


def written(kind: Format, *batches: list[Row]) -> bytes:
    """A file of these rows."""
    writer = writer_of(kind, "verdicts")
    return b"".join([*map(writer.write, batches), writer.close()])


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_is_a_formula(text: str) -> None:
    """Whatever a producer or a reviewer wrote, a spreadsheet shows it and computes nothing."""
    read = list(csv.DictReader(io.StringIO(written("csv", [verdict(note=text)]).decode(), newline="")))

    assert "'" + text == read[0]["note"]
    assert text == json.loads(written("jsonl", [verdict(note=text)]))["note"], "only where it would be obeyed"


def test_every_format_has_all_rows_with_all_columns() -> None:
    """Times to the millisecond, what is empty as such, in the same order of columns."""
    batches = [[verdict(note=f"{batch}, {number}\n\"'") for number in range(3)] for batch in range(4)]
    columns = list(COLUMNS["verdicts"])

    table = parquet.ParquetFile(io.BytesIO(written("parquet", *batches)))
    assert (4, columns) == (table.num_row_groups, table.schema_arrow.names)
    rows = table.read().to_pylist()
    lines = [json.loads(line) for line in written("jsonl", *batches).splitlines()]
    cells = list(csv.DictReader(io.StringIO(written("csv", *batches).decode(), newline="")))
    assert 12 == len(rows) == len(lines) == len(cells)
    assert columns == list(lines[0]) == list(cells[0])
    for row, line, cell in zip(rows, lines, cells, strict=True):
        assert row["note"] == line["note"] == cell["note"]
        assert (AT, "2026-11-21T12:00:00.005000Z", AT.isoformat()) == (row["at"], line["at"], cell["at"])
        assert (None, None, "") == (row["code"], line["code"], cell["code"])


@pytest.mark.parametrize("kind", sorted(MEDIA_TYPES))
def test_a_table_without_rows_is_a_file(kind: Format) -> None:
    """With its heading, where the format has one."""
    content = written(kind)

    if kind == "parquet":
        assert 0 == parquet.ParquetFile(io.BytesIO(content)).metadata.num_rows
    else:
        assert (b"" if kind == "jsonl" else ",".join(COLUMNS["verdicts"]).encode()) == content.strip()


def test_an_item_is_a_row_whatever_it_lacks() -> None:
    """Of a dead letter no more is known than why; of a judged item, the category in force too."""
    reason = {"at": AT, "attempts": 1, "stage": "decode", "error_class": "X", "message": "bad"}
    letter = item_row({"_id": "e", "dead_letter": reason}, lambda code: Category(code=code, label=code))
    assert ("dead-letter", "bad", None) == (letter["state"], letter["dead_letter_message"], letter["title"])

    said = {"at": AT, "feedback_id": "f", "verdict": "corrected", "code": "teas", "by": "ana"}
    product = {"published_at": AT, "title": "tea", "image": {"sha256": "ab"}}
    document = {"_id": EVENT, "product_id": "p", "product": product, "verdict": said}
    judged = item_row(document, lambda code: Category(code=code, label=code.upper()))
    assert ("judged", "teas", "TEAS", "reviewer", "sha256:ab") == tuple(
        judged[name] for name in ("state", "code", "label", "decided_by", "photo")
    )
    assert list(COLUMNS["items"]) == list(judged)
