"""Photos that a data file names: where they lie, and whether they can be read."""

import io
from pathlib import Path, PurePosixPath
from typing import Final, Literal, get_args

from model.errors import PhotoBroken, PhotoFormat, PhotoTooLarge
from schemas.limits import MAX_PHOTO_BYTES

_PLACES = ("", "images", "images/image_train", "images/image_test")  # below the data file; the challenge's own last
_THUMBNAIL: Final = (64, 64)  # a JPEG is decoded at an eighth of its size: enough to find that it is cut off

PhotoState = Literal["fine", "none", "not found", "outside", "elsewhere", "too large", "not a photo", "broken"]
"""What became of a photo. "outside": not below the data file's folder; "elsewhere": a URL, which is not followed."""


UNUSABLE: Final[frozenset[PhotoState]] = frozenset(get_args(PhotoState)) - {"fine", "none"}


def find_photo(folder: Path, name: str | None) -> Path | PhotoState:
    """The file that a row names, only ever below the data file's folder, or why there is none.

    Args:
        folder: Where the data file lies.
        name: What the row says, a path relative to that folder.
    """
    if name is None:
        return "none"
    if "://" in name or name.startswith("data:"):
        return "elsewhere"
    asked = PurePosixPath(name)
    if asked.is_absolute() or ".." in asked.parts or "\0" in name:
        return "outside"
    root = folder.resolve()
    for place in _PLACES:
        path = root / place / asked
        if _is_file(path):
            return path if path.resolve().is_relative_to(root) else "outside"
    return "not found"


def check_photo(path: Path) -> PhotoState:
    """Whether a photo is what the image stage takes and can be read to its end; limits are checked before decoding."""
    from PIL import Image

    from model.image.check import checked

    if path.stat().st_size > MAX_PHOTO_BYTES:
        return "too large"
    try:
        content = checked(path.read_bytes())
        with Image.open(io.BytesIO(content)) as image:
            image.draft("RGB", _THUMBNAIL)
            image.load()
    except PhotoTooLarge:
        return "too large"
    except PhotoFormat:
        return "not a photo"
    except (PhotoBroken, OSError, SyntaxError, ValueError, IndexError):  # what Pillow's decoders raise
        return "broken"
    return "fine"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long, or no name at all
        return False
