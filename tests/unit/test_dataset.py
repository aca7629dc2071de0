"""Products out of files."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.data.columns import Columns
from model.data.dataset import MAX_BROKEN_ROWS, ProductRow, RowProblems, iter_products
from model.errors import ColumnMissing, DataInvalid
from schemas.errors import AisleError

ROWS: list[dict[str, Any]] = [
    {"id": "1", "title": "Thé vert", "description": 'two\nlines, "quoted"', "category": "10"},
    {"id": "2", "title": "Café", "description": None, "category": "40"},
]
EXPECTED = [("1", "Thé vert", 'two\nlines, "quoted"', "10"), ("2", "Café", None, "40")]


def _csv(path: Path) -> None:
    path.write_text(
        '\ufeffid,title,description,category\r\n1,Thé vert,"two\nlines, ""quoted""",10\r\n\r\n2, Café ,,40\r\n',
        encoding="utf-8",
        newline="",
    )


def _semicolons(path: Path) -> None:
    path.write_text('id;title;description;category\n1;Thé vert;"two\nlines, ""quoted""";10\n2;Café;;40\n', "utf-8")


def _jsonl(path: Path) -> None:
    path.write_text("\n\n".join(map(json.dumps, ROWS)), encoding="utf-8")


def _parquet(path: Path) -> None:
    floats = [{**row, "category": float(row["category"])} for row in ROWS]  # as tables with gaps store integers
    pq.write_table(pa.Table.from_pylist(floats), path)


@pytest.mark.parametrize(
    ("name", "write"), [("a.csv", _csv), ("b.csv", _semicolons), ("c.jsonl", _jsonl), ("d.parquet", _parquet)]
)
def test_every_format_gives_the_same_products(tmp_path: Path, name: str, write: Any) -> None:
    """CSV (with BOM, quoted newlines, another delimiter), JSON lines and Parquet are one to the reader."""
    write(tmp_path / name)

    found = [(row.id, row.title, row.description, row.category) for row in iter_products(tmp_path / name)]

    assert EXPECTED == found


def _challenge(folder: Path) -> None:
    (folder / "X_train_update.csv").write_text(
        ",designation,description,productid,imageid\n0,Livre,,111,901\n1,Jeu,<b>neuf</b>,112,902\n", encoding="utf-8"
    )
    (folder / "Y_train_CVw08PX.csv").write_text(",prdtypecode\n1,40\n0,10\n", encoding="utf-8")


@pytest.mark.parametrize("name", ["", "X_train_update.csv"])
def test_the_challenge_is_joined_by_its_index(tmp_path: Path, name: str) -> None:
    """X and Y are one data set, given as the folder or as X, in whatever order Y is."""
    _challenge(tmp_path)

    assert [
        ProductRow(2, "111", "Livre", None, "10", None, "image_901_product_111.jpg"),
        ProductRow(3, "112", "Jeu", "<b>neuf</b>", "40", None, "image_902_product_112.jpg"),
    ] == list(iter_products(tmp_path / name))


def test_no_category_column_is_fine(tmp_path: Path) -> None:
    """A replay needs no categories, and ids are made where there are none."""
    (tmp_path / "a.csv").write_text("title\nThé\n", encoding="utf-8")

    assert [ProductRow(2, "row-2", "Thé", None)] == list(iter_products(tmp_path / "a.csv"))


def test_an_empty_row_is_passed_over_and_counted(tmp_path: Path) -> None:
    """A row with nothing to classify by does not stop the others."""
    (tmp_path / "a.csv").write_text("id,title,description\n1,,\n2,Thé,\n", encoding="utf-8")
    problems = RowProblems()

    rows = list(iter_products(tmp_path / "a.csv", problems=problems))

    assert ["2"] == [row.id for row in rows]
    assert 1 == problems.empty
    assert [f"Row 2 of {tmp_path / 'a.csv'} has no title, description or image."] == problems.messages


def test_a_broken_row_is_named(tmp_path: Path) -> None:
    """The message names row, and column where it is one column's fault."""
    lines = ['{"title": "a"}', "{", '{"title": ["b"]}', "[]"]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    problems = RowProblems()

    assert 1 == len(list(iter_products(tmp_path / "a.jsonl", problems=problems)))
    assert 3 == problems.broken
    assert problems.messages[0].startswith("Row 2 of")
    assert "Row 3" in problems.messages[1]
    assert "a list in column 'title'" in problems.messages[1]


def test_a_lone_surrogate_breaks_its_row(tmp_path: Path) -> None:
    """JSON can name what is not a character: no text that could be sent or learned from."""
    (tmp_path / "a.jsonl").write_text('{"title": "a"}\n{"title": "b", "id": "\\ud800"}\n', encoding="utf-8")
    problems = RowProblems()

    assert ["a"] == [row.title for row in iter_products(tmp_path / "a.jsonl", problems=problems)]
    assert 1 == problems.broken
    assert "Row 2" in problems.messages[0]
    assert r"'\ud800' in column 'id'" in problems.messages[0]


def test_many_broken_rows_refuse_the_file(tmp_path: Path) -> None:
    """A file that is not what its name says ends early, with one error."""
    (tmp_path / "a.csv").write_text("title,id\n" + "x\n" * 1_000, encoding="utf-8")
    problems = RowProblems()

    with pytest.raises(DataInvalid, match="has 1 fields where the header has 2"):
        list(iter_products(tmp_path / "a.csv", problems=problems))
    assert len(problems.messages) <= MAX_BROKEN_ROWS


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"title,title\n", "more than once"),
        ("a.csv", "title\nth\xe9\n".encode("latin-1"), "not UTF-8 at or soon after row"),
        ("a.csv", b'title\n"' + b"x" * 5_000_000, r"Row 2 of .*a quote that is never closed"),
        ("a.jsonl", b"\n[]\n", "no JSON object"),
        ("a.parquet", b"PAR1", "cannot be read as Parquet"),
        ("a.xlsx", b"", "neither .csv"),
    ],
)
def test_what_cannot_be_read_is_one_clear_error(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    """Every unreadable file ends in one error that names it."""
    (tmp_path / name).write_bytes(content)

    with pytest.raises(DataInvalid, match=message) as caught:
        list(iter_products(tmp_path / name))
    assert str(tmp_path / name) in str(caught.value)


def test_a_missing_file_or_column_is_one_clear_error(tmp_path: Path) -> None:
    """Neither a wrong path nor a wrong column name gives a traceback."""
    (tmp_path / "a.csv").write_text("title\nx\n", encoding="utf-8")
    with pytest.raises(DataInvalid, match="does not exist"):
        list(iter_products(tmp_path / "b.csv"))
    with pytest.raises(DataInvalid, match=r"no X_train_update\.csv"):
        list(iter_products(tmp_path))
    with pytest.raises(ColumnMissing, match="'nope'"):
        list(iter_products(tmp_path / "a.csv", Columns(title="nope")))


def test_progress_ends_at_one(tmp_path: Path) -> None:
    """Whoever shows a bar sees it grow and fill."""
    (tmp_path / "a.csv").write_text("title\n" + "thé\n" * 50_000, encoding="utf-8")
    parts: list[float] = []

    assert 50_000 == sum(1 for _ in iter_products(tmp_path / "a.csv", progress=parts.append))
    assert sorted(parts) == parts
    assert 1.0 == parts[-1]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    content=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)),
    kind=st.sampled_from(["csv", "jsonl"]),
)
def test_any_bytes_give_products_or_an_aisle_error(tmp_path: Path, content: bytes, kind: str) -> None:
    """No file, however strange, ends in anything but products or an error with a name."""
    path = tmp_path / f"any.{kind}"
    path.write_bytes(b"title,id\n" + content if kind == "csv" else b'{"title": "a"}\n' + content)
    with contextlib.suppress(AisleError):
        assert all(row.title or row.description or row.image for row in iter_products(path))
