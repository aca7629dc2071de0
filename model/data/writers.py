"""Data files written row by row: CSV, JSON lines or Parquet, by the file's suffix."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any, Final

from model.errors import DataInvalid

SUFFIXES: Final = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")

_PARQUET_BATCH = 2_000  # rows held until they make a row group

Write = Callable[[Mapping[str, object]], None]
"""Writes one row, its values by column; a column that it lacks is blank."""


@contextmanager
def table_writer(path: Path, columns: Sequence[str], schema: Any = None) -> Iterator[Write]:
    """Open a data file for writing; it takes its name when it is whole.

    Args:
        path: The file, of any suffix in ``SUFFIXES``; one that is there is replaced.
        columns: Its columns, in order.
        schema: The pyarrow schema of a Parquet file; None: every column is text.

    Raises:
        DataInvalid: The suffix is another.
    """
    check_suffix(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    opened = _OPENERS.get(path.suffix.lower(), _jsonl)
    try:
        with opened(unfinished, columns, schema) as write:
            yield write
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def check_suffix(path: Path) -> None:
    """Refuse a file that is of none of the kinds in ``SUFFIXES``.

    Raises:
        DataInvalid: It is not.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise DataInvalid(f"{path} is none of {', '.join(SUFFIXES)}.", hint="Give the file one of these suffixes.")


def check_new(paths: Sequence[Path], *, force: bool) -> None:
    """Refuse to write over what is there.

    Raises:
        DataInvalid: One of the paths exists and `force` is not set.
    """
    for path in paths:
        if path.exists() and not force:
            raise DataInvalid(f"{path} exists.", hint="Give another name, or --force to replace it.")


@contextmanager
def _separated(path: Path, columns: Sequence[str], _: Any, delimiter: str = ",") -> Iterator[Write]:
    with _text(path) as file:
        writer = csv.DictWriter(file, columns, delimiter=delimiter, lineterminator="\n")
        writer.writeheader()
        yield writer.writerow


@contextmanager
def _tabbed(path: Path, columns: Sequence[str], schema: Any) -> Iterator[Write]:
    with _separated(path, columns, schema, "\t") as write:
        yield write


@contextmanager
def _jsonl(path: Path, columns: Sequence[str], _: Any) -> Iterator[Write]:  # noqa: ARG001 - each line names its own
    with _text(path) as file:
        yield lambda row: print(json.dumps(row, ensure_ascii=False), file=file)


@contextmanager
def _parquet(path: Path, columns: Sequence[str], schema: Any) -> Iterator[Write]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = schema or pa.schema([(column, pa.string()) for column in columns])
    batch: list[Mapping[str, object]] = []
    with pq.ParquetWriter(path, schema) as writer:

        def flush() -> None:
            writer.write_table(pa.Table.from_pylist(batch, schema))
            batch.clear()

        def write(row: Mapping[str, object]) -> None:
            batch.append(row)
            if len(batch) == _PARQUET_BATCH:
                flush()

        yield write
        if batch:
            flush()


def _text(path: Path) -> IO[str]:
    return path.open("w", encoding="utf-8", newline="")


_Opener = Callable[[Path, Sequence[str], Any], AbstractContextManager[Write]]
_OPENERS: Mapping[str, _Opener] = {".csv": _separated, ".tsv": _tabbed, ".parquet": _parquet}
