"""What aisle keeps beside a Hugging Face directory, as the layout has no place for it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from model.errors import EncoderInvalid

STAGE_FILE: Final = "aisle_stage.json"

_FORMAT = 1


@dataclass(frozen=True)
class Notes:
    """Of a trained stage.

    Args:
        classes: How many it knows.
        max_tokens: Most tokens of a row.
        pad: The padding's id.
    """

    classes: int
    max_tokens: int
    pad: int


def write_notes(path: Path, notes: Notes) -> None:
    """Write them into a stage's directory.

    Raises:
        OSError: The disk is full, or the path cannot be written.
    """
    (path / STAGE_FILE).write_text(json.dumps({"format": _FORMAT, **asdict(notes)}) + "\n", encoding="utf-8")


def read_notes(path: Path) -> Notes:
    """Those of a stage's directory.

    Raises:
        EncoderInvalid: They are missing, damaged or of another format.
    """
    try:
        kept = json.loads((path / STAGE_FILE).read_bytes())
        form, classes, max_tokens, pad = (int(kept[name]) for name in ("format", "classes", "max_tokens", "pad"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EncoderInvalid(f"{path / STAGE_FILE} cannot be read: {error!r}.", hint="Train anew.") from error
    if form != _FORMAT:
        raise EncoderInvalid(f"{path} is of format {form}, and this version reads {_FORMAT}.", hint="Train anew.")
    return Notes(classes, max_tokens, pad)
