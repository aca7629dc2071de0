"""CSV, JSON lines and Parquet files as one thing: named columns, and rows with their number."""

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, Final

from model.errors import DataInvalid

MAX_FIELD_CHARS: Final = 4 * 1024 * 1024
"""A longer CSV field is a quote that was never closed; the csv module's own limit of 128 KiB is too low for HTML."""

_PEEK_ROWS = 1_000  # JSON lines have no header: their columns are the keys of this many first rows
_PARQUET_BATCH = 2_000

Row = tuple[int, Mapping[str, object] | str]
"""A row's number and its values by column, or what is wrong with it. Numbered as a spreadsheet or an editor
does: a CSV's header is row 1, the first JSON line and the first Parquet row are 1."""


@dataclass(frozen=True, slots=True)
class Table:
    """An open file: its columns, its rows, and how far the reader is (from 0 to 1)."""

    columns: list[str]
    rows: Iterator[Row]
    done: Callable[[], float]


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """Open a data file by its suffix: .csv, .tsv, .jsonl, .ndjson or .parquet.

    Raises:
        DataInvalid: The path is missing, of another kind, empty, or not readable as what its name says.
    """
    if not path.is_file():
        what = "is a folder, not a file" if path.is_dir() else "does not exist"
        raise DataInvalid(f"{path} {what}.", hint="Give a CSV, JSONL or Parquet file.")
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        with path.open("rb") as file:
            yield _parquet(path, file)
    elif suffix in {".csv", ".tsv", ".jsonl", ".ndjson"}:
        with path.open("rb") as raw, open(raw.fileno(), encoding="utf-8-sig", newline="", closefd=False) as text:
            size = max(path.stat().st_size, 1)
            read = _csv if suffix in {".csv", ".tsv"} else _jsonl
            columns, rows = read(path, text)
            yield Table(columns, _guarded(path, rows), lambda: min(1.0, os.lseek(raw.fileno(), 0, os.SEEK_CUR) / size))
    else:
        raise DataInvalid(f"{path} is neither .csv, .tsv, .jsonl, .ndjson nor .parquet.", hint="Rename or convert it.")


def _csv(path: Path, text: IO[str]) -> tuple[list[str], Iterator[Row]]:
    csv.field_size_limit(MAX_FIELD_CHARS)
    with _reading(path, lambda: 1):
        header = text.readline()
        delimiter = max(",;\t|", key=header.count)
        # The header may itself hold a quoted newline, so the reader gets the line back.
        reader = csv.reader(chain([header], text), delimiter=delimiter)
        columns = [column.strip() for column in next(reader, [])]
    if not any(columns):
        raise DataInvalid(f"{path} is empty: it has no header row.")
    if len(set(columns)) < len(columns):
        twice = next(column for column in columns if columns.count(column) > 1)
        raise DataInvalid(f"{path} has the column {twice!r} more than once.", hint="Rename one of them.")
    return columns, _csv_rows(columns, reader)


def _csv_rows(columns: list[str], reader: Iterator[list[str]]) -> Iterator[Row]:
    for number, values in enumerate(reader, start=2):
        if len(values) == len(columns):
            yield number, dict(zip(columns, values, strict=True))
        elif values:  # an empty line is no row
            yield number, f"has {len(values)} fields where the header has {len(columns)}"


def _jsonl(path: Path, text: IO[str]) -> tuple[list[str], Iterator[Row]]:
    rows = _jsonl_rows(text)
    first: list[Row] = []
    with _reading(path, lambda: len(first) + 1):
        first.extend(islice(rows, _PEEK_ROWS))
    columns = list(dict.fromkeys(key for _, row in first if not isinstance(row, str) for key in row))
    if not columns:
        said = f" Row {first[0][0]} {first[0][1]}." if first else ""
        raise DataInvalid(f"{path} has no JSON object on its first lines.{said}", hint="Write one object a line.")
    return columns, chain(first, rows)


def _jsonl_rows(text: IO[str]) -> Iterator[Row]:
    for number, line in enumerate(text, start=1):
        if not line.strip():
            continue
        try:
            row: Any = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, f"is not JSON ({error})"
            continue
        yield number, row if isinstance(row, dict) else "is JSON, but not an object"


def _parquet(path: Path, file: IO[bytes]) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        parquet = pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise DataInvalid(f"{path} cannot be read as Parquet: {_first_line(error)}.") from error
    seen = 0

    def rows() -> Iterator[Row]:
        nonlocal seen
        try:
            for batch in parquet.iter_batches(_PARQUET_BATCH):
                for row in batch.to_pylist():
                    seen += 1
                    yield seen, row
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise DataInvalid(f"{path} breaks off after row {seen}: {_first_line(error)}.") from error

    total = max(parquet.metadata.num_rows, 1)
    return Table(list(parquet.schema_arrow.names), rows(), lambda: seen / total)


def _guarded(path: Path, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows, with what the decoder or the csv module cannot read named by file and row."""
    last = 1
    with _reading(path, lambda: last + 1):
        for row in rows:
            last = row[0]
            yield row


@contextmanager
def _reading(path: Path, row: Callable[[], int]) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise DataInvalid(
            f"{path} is not UTF-8 at or soon after row {row()} (byte 0x{byte:02x}).", hint="Save it as UTF-8."
        ) from error
    except csv.Error as error:
        raise DataInvalid(f"Row {row()} of {path}: {error}.", hint="Look for a quote that is never closed.") from error


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
