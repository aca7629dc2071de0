"""Rows of a training set as its file has them: what a product said, its category, and where that comes from."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

import orjson

from model.data.cleaning import clean_description, clean_title

ROWS: Final = "rows.jsonl"
TAXONOMY: Final = "taxonomy.csv"
IMAGES: Final = "images"
"""Files of a set, and the folder with links to its photos."""

Side = Literal["golden", "base", "verdict"]
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class SetRow:
    """One row.

    Args:
        title: As it came; None where there is none.
        description: Likewise.
        category: Its code.
        image: By which name the photo is found below the set.
        photo: SHA-256 of the photo.
        side: ``golden`` only ever measures; ``base`` is another row of the set that the first model was trained on;
            ``verdict`` is a person's word.
        feedback_id: The verdict that it is made from.
    """

    title: str | None
    description: str | None
    category: str
    image: str | None = None
    photo: str | None = None
    side: Side = "base"
    feedback_id: str | None = None

    @property
    def key(self) -> Key:
        """What no model can tell from another: cleaned title and description, and the photo."""
        return content_of(self.title, self.description, self.photo)

    @property
    def line(self) -> bytes:
        """The row as a line of the file."""
        return orjson.dumps(asdict(self), option=orjson.OPT_APPEND_NEWLINE)


def content_of(title: str | None, description: str | None, photo: str | None) -> Key:
    """What a model sees of a product; the same of two that it cannot tell apart."""
    return clean_title(title), clean_description(description), photo or ""


def read_rows(path: Path) -> Iterator[SetRow]:
    """The rows of a set's file."""
    with path.open("rb") as file:
        for line in file:
            yield SetRow(**orjson.loads(line))


def write_rows(path: Path, rows: Iterable[SetRow]) -> str:
    """Write a set's file; SHA-256 of its bytes."""
    digest = sha256()
    with path.open("wb") as file:
        for row in rows:
            line = row.line
            file.write(line)
            digest.update(line)
    return digest.hexdigest()


def digest_of(rows: Iterable[SetRow]) -> str:
    """SHA-256 of rows, as `write_rows` gives it of a whole file."""
    digest = sha256()
    for row in rows:
        digest.update(row.line)
    return digest.hexdigest()
