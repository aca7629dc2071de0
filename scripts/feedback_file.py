"""Verdicts from a file: every row checked, and each with an id that the file gives it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final, Self

from pydantic import ValidationError

from infra.feedback_log import FeedbackLog
from infra.settings import load_settings
from model.data.readers import open_table
from model.errors import CodeUnknown, ColumnMissing
from model.shelves import TaxonomyInForce, check_code
from schemas.feedback import Feedback
from schemas.taxonomy import Taxonomy

_NAMES: Final = ("event_id", "product_id", "verdict", "code", "by", "at", "note", "feedback_id")
_ASKED_TOGETHER: Final = 500
_DIGEST_CHARS: Final = 16


@dataclass(slots=True)
class Checked:
    """What a file holds; ``unknown`` counts good rows whose event is not archived."""

    rows: int = 0
    good: int = 0
    unknown: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class FeedbackFile:
    """The verdicts of a file, read anew each time.

    A row without a ``feedback_id`` has one made of the file's SHA-256 and its number, so the same file always gives
    the same ids, in the order of its rows.

    Args:
        path: The file.
        digest: The beginning of its SHA-256.
        by: Who speaks where a row does not say so.
        taxonomy: What codes are held to, if it is known.
    """

    path: Path
    digest: str
    by: str
    taxonomy: Taxonomy | None

    @classmethod
    def of(cls, path: Path, by: str) -> Self:
        """Read a file once for its digest and its columns.

        Raises:
            DataInvalid: It is no file that can be read.
            ColumnMissing: It names neither events nor products.
        """
        with open_table(path) as table:
            if not {"event_id", "product_id"} & set(table.columns):
                raise ColumnMissing(f"{path} has no column event_id or product_id.", hint="Name its columns so.")
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()[:_DIGEST_CHARS]
        return cls(path, digest, by, TaxonomyInForce(load_settings()).now())

    def __iter__(self) -> Iterator[Feedback]:
        """The good rows."""
        for _, row in self._rows():
            if isinstance(row, Feedback):
                yield row

    async def check(self, log: FeedbackLog, told: Callable[[int], None]) -> Checked:
        """Read every row, and look which events are archived.

        Args:
            log: Where to look.
            told: Called with the percentage that is done.
        """
        checked, asked = Checked(), list[str]()
        for done, row in self._rows():
            checked.rows += 1
            if isinstance(row, str):
                checked.problems.append(row)
                continue
            checked.good += 1
            if row.event_id is not None:
                asked.append(row.event_id)
            if len(asked) == _ASKED_TOGETHER:
                checked.unknown += await _unknown(log, asked)
                asked.clear()
                told(round(100 * done))
        checked.unknown += await _unknown(log, asked)
        told(100)
        return checked

    def _rows(self) -> Iterator[tuple[float, Feedback | str]]:
        """How far the file is read, and a row's verdict or what is wrong with it."""
        with open_table(self.path) as table:
            for number, row in table.rows:
                yield table.done(), self._verdict(number, row)

    def _verdict(self, number: int, row: Mapping[str, object] | str) -> Feedback | str:
        if isinstance(row, str):
            return f"row {number} {row}"
        given = {name: row[name] for name in _NAMES if row.get(name) not in (None, "")}
        if self.taxonomy is not None and (code := self.taxonomy.code_of(str(given.get("code")))) is not None:
            given["code"] = code  # which a label may have named
        usual = {"verdict": "corrected", "by": self.by, "feedback_id": f"{self.digest}-{number:09d}"}
        try:
            feedback = Feedback.model_validate(usual | given)
            check_code(feedback.code, self.taxonomy)
        except ValidationError as error:
            return f"row {number}: {problem_of(error)}"
        except CodeUnknown as error:
            return f"row {number}: {error}"
        return feedback


async def _unknown(log: FeedbackLog, event_ids: list[str]) -> int:
    found = await log.items(event_ids) if event_ids else {}
    return sum(event_id not in found for event_id in event_ids)


def problem_of(error: ValidationError) -> str:
    """The first thing that is wrong with a verdict, without what was given."""
    problem: Any = error.errors(include_url=False, include_input=False)[0]
    where = "".join(f"{part}: " for part in problem["loc"])
    return f"{where}{problem['msg'].removeprefix('Value error, ')}"
