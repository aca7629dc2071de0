"""Rows as CSV, JSON lines or Parquet, written as they come."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal, Protocol

import orjson

from infra.spreadsheet import inert
from workers.gateway.export.rows import COLUMNS, Cell, Row, What

Format = Literal["csv", "jsonl", "parquet"]

MEDIA_TYPES: Final[dict[Format, str]] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
}


class Writer(Protocol):
    """Turns rows into bytes. Its methods compute and may import: they are called in a thread."""

    def write(self, rows: Sequence[Row]) -> bytes:
        """The next rows."""

    def close(self) -> bytes:
        """What comes after the last row."""


def writer_of(kind: Format, what: What) -> Writer:
    """A writer of a file; Parquet's imports pyarrow."""
    kinds: dict[Format, type[CsvWriter | JsonWriter | ParquetWriter]]
    kinds = {"csv": CsvWriter, "jsonl": JsonWriter, "parquet": ParquetWriter}
    return kinds[kind](what)


class CsvWriter:
    """CSV in UTF-8, with a heading (RFC 4180). No cell can be taken for a formula: one that could has an apostrophe.

    Args:
        what: The kind of rows.
    """

    def __init__(self, what: What) -> None:
        self._columns = list(COLUMNS[what])
        self._headed = False

    def write(self, rows: Sequence[Row]) -> bytes:
        """The next rows."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        if not self._headed:
            self._headed = True
            writer.writerow(self._columns)
        writer.writerows([_cell(row[name]) for name in self._columns] for row in rows)
        return text.getvalue().encode()

    def close(self) -> bytes:
        """The heading, if there was no row."""
        return b"" if self._headed else self.write(())


class JsonWriter:
    """JSON lines: an object a row, times in ISO 8601, null for what is empty.

    Args:
        what: The kind of rows.
    """

    def __init__(self, what: What) -> None:
        self._what = what

    def write(self, rows: Sequence[Row]) -> bytes:
        """The next rows."""
        return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z) for row in rows)

    def close(self) -> bytes:
        """Nothing."""
        return b""


class ParquetWriter:
    """Parquet, a row group for each call, so that no more than that is in memory.

    Args:
        what: The kind of rows.
    """

    def __init__(self, what: What) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        kinds = {str: pa.string(), float: pa.float64(), bool: pa.bool_(), datetime: pa.timestamp("ms", "UTC")}
        self._schema = pa.schema([(name, kinds[kind]) for name, kind in COLUMNS[what].items()])
        self._sink = _Sink()
        self._writer = parquet.ParquetWriter(pa.PythonFile(self._sink, "w"), self._schema, compression="zstd")

    def write(self, rows: Sequence[Row]) -> bytes:
        """The next rows."""
        import pyarrow as pa

        if rows:
            self._writer.write_table(pa.Table.from_pylist(list(rows), self._schema))
        return self._sink.taken()

    def close(self) -> bytes:
        """The footer."""
        self._writer.close()
        return self._sink.taken()


class _Sink(io.RawIOBase):
    """Keeps what is written until it is taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._place = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def write(self, content: Any) -> int:
        part = bytes(content)
        self._parts.append(part)
        self._place += len(part)
        return len(part)

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        return inert(value)
    return str(value).lower() if isinstance(value, bool) else repr(value)
