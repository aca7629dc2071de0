"""What a photo must be before anything decodes it: its size, its format and its width and height, from its header."""

import io
import warnings
from typing import Final

from PIL import Image

from model.errors import PhotoBroken, PhotoFormat, PhotoInvalid, PhotoTooLarge
from schemas.limits import MAX_PHOTO_BYTES, MIB

MAX_PIXELS: Final = 40_000_000
"""Width x height. Decoded, so many take 120 MB; a phone's camera makes 12 to 50 million, a shop's photo 0.25."""

MAX_SCANS: Final = 64
"""Passes of a progressive JPEG, of which each costs a walk over all its pixels. Encoders make about ten."""

_READ: Final = ("JPEG", "PNG", "WEBP")
_MAGIC: Final = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"%PDF", "PDF"),
    (b"\0\0\1\0", "ICO"),
    (b"8BPS", "PSD"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
)

# Between its limit and twice that Pillow only warns; here a warning is a refusal like any other.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def checked(content: bytes) -> bytes:
    """The photo itself, once its header has shown that decoding it is safe. No pixel is decoded.

    Args:
        content: An encoded photo, from anyone.

    Raises:
        PhotoTooLarge: It has too many bytes, pixels or scans.
        PhotoFormat: It is no JPEG, PNG or WebP, whatever its name says.
        PhotoBroken: Its header cannot be read, or a part of a PNG or WebP is missing.
    """
    if len(content) > MAX_PHOTO_BYTES:
        raise PhotoTooLarge(f"The photo has {len(content):,} bytes; {MAX_PHOTO_BYTES // MIB} MiB are the most.")
    kind = media_format(content)
    if kind not in _READ:
        raise PhotoFormat(f"The photo is {kind or 'in no known format'}; JPEG, PNG and WebP are read.")
    if kind == "JPEG" and content.count(b"\xff\xda") > MAX_SCANS:  # entropy-coded data never holds this marker
        raise PhotoTooLarge(f"The photo is a JPEG of more than {MAX_SCANS} scans.")
    try:
        width, height = _size(content, kind)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoTooLarge(f"The photo has more than {MAX_PIXELS:,} pixels.") from error
    except Exception as error:  # Pillow's readers raise what they meet: SyntaxError, struct.error, KeyError ...
        raise PhotoBroken(f"The photo is a {kind} that is cut off or damaged.") from error
    if width * height > MAX_PIXELS:
        raise PhotoTooLarge(f"The photo has {width:,} x {height:,} pixels; {MAX_PIXELS:,} are the most.")
    if width < 1 or height < 1:
        raise PhotoBroken(f"The photo is a {kind} of {width} x {height} pixels.")
    return content


def media_format(content: bytes) -> str | None:
    """What the first bytes say a file is, in the words of a message; None for what they do not tell."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    if content[4:8] == b"ftyp":
        return "AVIF or HEIC"
    if not content:
        return "empty"
    start = content[:1_024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<?xml", b"<svg", b"<!doctype", b"<html")):
        return "SVG" if b"<svg" in start else "XML or HTML"
    return next((name for magic, name in _MAGIC if content.startswith(magic)), None)


def is_photo(content: bytes) -> bool:
    """Whether a file passes :func:`checked`."""
    try:
        checked(content)
    except PhotoInvalid:
        return False
    return True


def _size(content: bytes, kind: str) -> tuple[int, int]:
    with Image.open(io.BytesIO(content), formats=[kind]) as photo:
        width, height = photo.size
        if kind == "PNG" and width * height <= MAX_PIXELS:
            photo.verify()  # every chunk is there and has its checksum; inflates nothing
        return width, height
