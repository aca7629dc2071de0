"""The files of a job, below the data directory: what was sent, what was answered so far, and the result."""

import csv
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from io import StringIO
from pathlib import Path
from time import time
from typing import Any, BinaryIO, Final, get_args
from uuid import uuid4

from infra.spreadsheet import inert
from model.data.columns import Columns
from model.data.readers import open_table
from model.errors import DataInvalid
from schemas.http.job import ResultFormat, RowResult
from schemas.limits import MIB
from workers.gateway.errors import Unprocessable

MOST_ROWS: Final = 100_000
SUFFIXES: Final = (".csv", ".tsv", ".jsonl", ".ndjson")

_OLD_S: Final = 86_400.0

InputRow = tuple[int, Mapping[str, Any] | str]
"""A row's number, and its values by role, or why it cannot be read."""


@dataclass(frozen=True, slots=True)
class Staged:
    """What was sent, on the disk and not yet the job's.

    Args:
        path: Where.
        rows: How many it has.
    """

    path: Path
    rows: int


class Folder:
    """The files of one job. Everything here blocks.

    Args:
        data_dir: The data directory.
        job_id: The job's.
        suffix: Of what was sent.
    """

    def __init__(self, data_dir: Path, job_id: str, suffix: str) -> None:
        self.path = data_dir / "jobs" / job_id
        self.input = self.path / f"input{suffix}"
        self._answers = self.path / "answers.jsonl"

    def stage(self, content: BinaryIO) -> Staged:
        """Keep what was sent beside the job's own file, and count its rows.

        Raises:
            Unprocessable: It has too many rows, or cannot be read as what its name says.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        path = self.path / f".{uuid4().hex}{self.input.suffix}"
        try:
            with path.open("wb") as file:
                shutil.copyfileobj(content, file)
            with _opened(path) as rows:
                count = sum(1 for _ in zip(rows, range(MOST_ROWS + 1), strict=False))
            if not count:
                raise Unprocessable("The file has no rows.")
            if count > MOST_ROWS:
                raise Unprocessable(f"The file has more than {MOST_ROWS:,} rows.", hint="Send it in parts.")
        except BaseException:
            self.drop(path)
            raise
        return Staged(path, count)

    def place(self, staged: Staged) -> None:
        """Make it the job's file, which may be worked on from now on."""
        staged.path.replace(self.input)

    def drop(self, staged: Path) -> None:
        """Remove what was staged, if it is there still."""
        staged.unlink(missing_ok=True)
        with suppress(OSError):
            self.path.rmdir()

    def rows(self) -> Iterator[InputRow]:
        """The rows of what was sent; the file is opened with the first, as the columns of JSON lines take long to find.

        Raises:
            Unprocessable: It cannot be read.
        """
        with _opened(self.input) as found:
            yield from found

    def add(self, results: list[RowResult]) -> None:
        """Add answers to those that are kept."""
        if not results:
            return
        with self._answers.open("a", encoding="utf-8") as file:
            file.write("".join(f"{one.model_dump_json()}\n" for one in results))

    def mend(self) -> None:
        """Remove what was being written when the process ended; for whoever adds answers alone."""
        with suppress(FileNotFoundError):
            whole = len(_whole_lines(self._answers.read_bytes()))
            os.truncate(self._answers, whole)

    def answered(self) -> dict[int, RowResult]:
        """The answers that are kept, by row; a line that is not whole yet is none."""
        found: dict[int, RowResult] = {}
        with suppress(FileNotFoundError):
            for line in _whole_lines(self._answers.read_bytes()).splitlines():
                one = RowResult.model_validate_json(line)
                found[one.row] = one
        return found

    def finish(self) -> None:
        """Keep the result in all its forms: nothing will be added."""
        for form in get_args(ResultFormat):
            staged = self.path / f".{uuid4().hex}"
            staged.write_text(self.result(form), encoding="utf-8", newline="")
            staged.replace(self.finished(form))

    def finished(self, form: ResultFormat) -> Path:
        """Where the result is that was kept, if it was."""
        return self.path / f"result.{form}"

    def result(self, form: ResultFormat) -> str:
        """The result so far, rows in their order."""
        results = [one for _, one in sorted(self.answered().items())]
        if form == "jsonl":
            return "".join(f"{one.model_dump_json()}\n" for one in results)
        text = StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(RowResult.model_fields)
        writer.writerows([inert(value) for value in one.model_dump().values()] for one in results)
        return text.getvalue()


def old_folders(data_dir: Path) -> list[Path]:
    """The folders of jobs in which nothing came to be or went for a day; blocks."""
    before = time() - _OLD_S
    try:
        return [path for path in (data_dir / "jobs").iterdir() if path.stat().st_mtime < before]
    except FileNotFoundError:
        return []


def digest_of(content: BinaryIO, suffix: str) -> str:
    """What tells one file from another, its kind included; reads it from the beginning, and goes back there."""
    content.seek(0)
    digest = sha256(suffix.encode())
    while part := content.read(MIB):
        digest.update(part)
    content.seek(0)
    return digest.hexdigest()


def _whole_lines(data: bytes) -> bytes:
    return data[: data.rfind(b"\n") + 1]


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[InputRow]]:
    try:
        with open_table(path) as table:
            columns = Columns().resolve(table.columns, path)
            yield ((number, row if isinstance(row, str) else _by_role(columns, row)) for number, row in table.rows)
    except DataInvalid as error:
        message = error.message.replace(str(path), "The file")
        raise Unprocessable(message, hint=error.hint) from error


def _by_role(columns: Columns, row: Mapping[str, object]) -> Mapping[str, Any]:
    roles = ("id", "title", "description", "image")
    found = {role: row.get(name) for role in roles if (name := getattr(columns, role)) is not None}
    return {role: value for role, value in found.items() if value is not None and value != ""}
