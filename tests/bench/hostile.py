"""Products that nobody wants: texts and photos that break careless programs, drawn from a seed."""

import io
import json
import struct
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
from PIL import Image

from schemas.limits import MAX_DESCRIPTION_CHARS, MAX_TITLE_CHARS

_SOUP: Final = (
    *("<div", "<b>", "</p>", "<script>alert(1)</script>", "<!-- ", "-->", "<![CDATA[", "<img src='x' onerror=", ">"),
    *("&amp;", "&#x110000;", "&#0;", "&nbsp;", "&notit;", "&#xD800;", "<<", "'\"", "\0", "table en bois", "<style>p{"),
)
_RIGHT_TO_LEFT: Final = "אבגדהוזחטיכלמנסעפצקרשת ءآأؤإئابةتثجحخدذرزسشصضطظعغـفقكلمنهوي \u200f\u202e\u2066\u2069\u061c"
_EMOJI: Final = ("👩‍👩‍👧‍👦", "🏳️‍🌈", "🇫🇷", "👍🏿", "🧑🏽‍🚒", "❤️", "\U0001faf8", "\u200d", "🛋️")
_IN_PLACE: Final = 600_000
"""Bytes of a photo that fits a record in base64."""


def _unicode(dice: Random) -> str:
    """Any code points at all, what was never assigned among them."""
    return "".join(chr(dice.choice((dice.randrange(0xD800), dice.randrange(0xE000, 0x110000)))) for _ in range(200))


def _marks(dice: Random) -> str:
    """Letters below towers of combining marks."""
    return "".join(letter + "".join(chr(dice.randrange(0x300, 0x370)) for _ in range(60)) for letter in "chaise")


TEXTS: Final[Mapping[str, Callable[[Random], Any]]] = {
    "plain": lambda dice: f"chaise en bois {dice.randrange(100)}",
    "unicode": _unicode,
    "half a pair": lambda dice: f"table {chr(dice.randrange(0xD800, 0xE000))} ronde",
    "emoji": lambda dice: "".join(dice.choices(_EMOJI, k=dice.randrange(1, 200))),
    "right to left": lambda dice: "".join(dice.choices(_RIGHT_TO_LEFT, k=dice.randrange(1, 900))),
    "marks": _marks,
    "20,000 characters": lambda dice: dice.choice("aé漢﷽ ") * 20_000,
    "20,001 characters": lambda _: "b" * 20_001,
    "one long word": lambda dice: "".join(dice.choices("abcdefgh-_/", k=dice.randrange(900, 20_000))),
    "HTML soup": lambda dice: "".join(dice.choices(_SOUP, k=dice.randrange(1, 800))),
    "entities": lambda dice: "&lt;" * dice.randrange(1, 5_000),
    "nothing": lambda _: "",
    "spaces": lambda dice: "".join(dice.choices(" \t\n\u00a0\u2003\u200b", k=dice.randrange(1, 400))),
    "controls": lambda dice: "".join(chr(dice.randrange(32)) for _ in range(dice.randrange(1, 200))),
    "no text": lambda dice: dice.choice([None, 7, 1e308, True, [], {}, ["a"], {"a": 1}]),
}
"""By name, what makes a title or a description."""

RECORDS: Final[tuple[bytes | None, ...]] = (
    *(None, b"", b"null", b"[]", b"{}", b'"title"', b"{", b"\xff\xfe\0", b"\xef\xbb\xbf{}", b'{"product_id": 1}'),
    *(b'{"product_id": "1", "title": "\xc3"}', b"[" * 5_000, b'{"a":' * 5_000, b'{"product_id": "1", "title": "a"} x'),
    *(b'{"product_id": "", "title": "a"}', b'{"product_id": "1", "title": NaN}', b'{"product_id": "1", "image": {}}'),
    b'{"product_id": "1", "title": "' + b"a" * (1 << 20) + b'"}',
)
"""Values that are no product at all."""


def photos(largest: int) -> dict[str, bytes]:
    """Files by their names, which are often wrong: photos, bombs, and what is no photo.

    Args:
        largest: Width and height, in pixels, of the largest photo that may be decoded.
    """
    jpeg, png = _encoded("JPEG"), _encoded("PNG")
    return {
        "fine.jpg": jpeg,
        "fine.webp": _encoded("WEBP"),
        "grey.jpg": _encoded("JPEG", "L"),
        "cmyk.jpg": _encoded("JPEG", "CMYK"),
        "alpha.png": _encoded("PNG", "RGBA"),
        "deep.png": _encoded("PNG", "I;16"),
        "wrong-extension.jpg": png,
        "wrong-extension.png": jpeg,
        "no-extension": jpeg,
        "cut-in-its-pixels.jpg": jpeg[: len(jpeg) * 2 // 3],
        "cut-in-its-header.jpg": jpeg[:100],
        "two-bytes.jpg": jpeg[:2],
        "scrambled.jpg": jpeg[:300] + bytes(reversed(jpeg[300:])),
        "cut.png": png[: len(png) // 2],
        "scrambled.png": png[:60] + bytes(reversed(png[60:])),
        "cut.webp": _encoded("WEBP")[:60],
        "animated.gif": _encoded("GIF"),
        "gif.jpg": _encoded("GIF"),
        "vector.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        "svg.jpg": b"<?xml version='1.0'?><!DOCTYPE s [<!ENTITY a 'a'>]><svg>&a;</svg>",
        "page.jpg": b"<!doctype html><h1>404</h1>",
        "map.bmp": _encoded("BMP"),
        "archive.jpg": b"PK\x03\x04" + bytes(200),
        "empty.jpg": b"",
        "zeros.jpg": bytes(2_000),
        "bomb.png": _png(30_000, 30_000),
        "bomb.jpg": _claims(jpeg, 65_000, 65_000),
        "liar.png": _png(5_000, 5_000, rows=1),
        "text-bomb.png": _png(8, 8, text=True),
        "line.png": _png(30_000, 1),
        "point.png": _png(1, 1),
        "scans.jpg": jpeg[:-2] + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0" * 500 + jpeg[-2:],
        "largest.png": _png(largest, largest),
    }


def write_photos(folder: Path, largest: int = 6_300) -> dict[str, bytes]:
    """The same, written to a folder."""
    found = photos(largest)
    for name, content in found.items():
        (folder / name).write_bytes(content)
    return found


def records(seed: int, count: int, files: Mapping[str, bytes]) -> Iterator[bytes | None]:
    """Values of records on products.in: of ten, about nine are JSON objects.

    Args:
        seed: Of the dice.
        count: How many.
        files: The photos, which lie below an image root too.
    """
    dice = Random(seed)
    uris = [*files, "gone.jpg", "../secret", "http://169.254.169.254/", "file:///etc/passwd", "a\0b", "/dev/zero", "."]
    for number in range(count):
        if dice.random() < 0.1:
            yield dice.choice(RECORDS)
            continue
        product: dict[str, Any] = {"product_id": f"hostile-{seed}-{number}"}
        for name, share, longest in (("title", 0.75, MAX_TITLE_CHARS), ("description", 0.5, MAX_DESCRIPTION_CHARS)):
            if dice.random() < share:
                text = TEXTS[dice.choice(list(TEXTS))](dice)
                fits = isinstance(text, str) and dice.random() < 0.9
                product[name] = text[:longest] if fits else text
        if dice.random() < 0.6:
            product["image"] = _image(dice, uris, files)
        # Escaped, as half a surrogate pair has no UTF-8.
        yield json.dumps(product).encode()


def _image(dice: Random, uris: list[str], files: Mapping[str, bytes]) -> dict[str, str]:
    uri = dice.choice(uris)
    content = files.get(uri)
    if content is None or len(content) > _IN_PLACE or dice.random() < 0.5:
        return {"uri": uri}
    text = b64encode(content).decode()
    return {"base64": text if dice.random() < 0.9 else text[: len(text) // 2 - 1] + "?"}


def _encoded(kind: str, mode: str = "RGB") -> bytes:
    """A small photo of a coloured field with noise on it."""
    pixels = np.random.default_rng(0).integers(60, 200, (90, 120, 3), np.uint8)
    pixels[20:70, 30:90] = (200, 40, 30)
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, kind)
    return file.getvalue()


def _png(width: int, height: int, *, rows: int | None = None, text: bool = False) -> bytes:
    """A PNG of one bit a pixel, all black, that inflates to what it claims, to one row of it, or to 64 MB of text."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    words = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(64 << 20))) if text else b""
    pixels = chunk(b"IDAT", zlib.compress(bytes((1 + (width + 7) // 8) * (rows or height))))
    return b"\x89PNG\r\n\x1a\n" + header + words + pixels + chunk(b"IEND", b"")


def _claims(jpeg: bytes, width: int, height: int) -> bytes:
    """A JPEG that says another size in its header."""
    place = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:place] + struct.pack(">HH", height, width) + jpeg[place + 4 :]
