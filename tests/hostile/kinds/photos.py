"""Photos that lie: of another format, of another size, bombs, two files in one, and base64 that is none."""

import io
import struct
import zlib
from base64 import b64encode
from functools import lru_cache
from random import Random
from typing import Final

from PIL import Image

from schemas.http.account import Role
from schemas.limits import MIB
from tests.bench.hostile import photos
from tests.hostile.kinds.forms import field, form, posted
from tests.hostile.request import Kind, Request, Site, ask

_PRODUCTS: Final = "/api/v1/predictions"


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _png(*chunks: bytes, width: int = 8, height: int = 8) -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = _chunk(b"IDAT", zlib.compress(bytes(9 * 8)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + _chunk(b"IEND", b"")


def _moving(kind: str, frames: int) -> bytes:
    file = io.BytesIO()
    some = [Image.new("RGB", (16, 16), (number % 256, 0, 0)) for number in range(frames)]
    some[0].save(file, kind, save_all=True, append_images=some[1:])
    return file.getvalue()


def _jpeg_with(marker: bytes, content: bytes, times: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    plain = file.getvalue()
    return plain[:2] + (marker + struct.pack(">H", len(content) + 2) + content) * times + plain[2:]


@lru_cache(maxsize=1)
def lies() -> tuple[bytes, ...]:
    """All of them; the products' bench has most."""
    icc = b"icc\0\0" + zlib.compress(bytes(64 * MIB))
    jpeg = _jpeg_with(b"\xff\xe0", b"", 0)
    html = b"<script>window.canaried=1</script>"
    made = (
        _png(width=50_000, height=50_000),
        _png(width=2**31 - 1, height=2**31 - 1),
        _png(width=0, height=0),
        _png(_chunk(b"iCCP", icc)),
        _png(_chunk(b"tEXt", b"Comment\0" + html)) + html,
        _png(*(_chunk(b"tEXt", b"a\0b") for _ in range(50_000))),
        _png(_chunk(b"eXIf", b"Exif" + b"\xff" * 60_000)),
        _png(_chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))),
        _png()[:30] + b"\xff\xff\xff\xff" + _png()[34:],
        _jpeg_with(b"\xff\xe1", b"Exif\0\0" + b"II*\0\x08\0\0\0\xff\xff" + b"\0" * 60_000, 1),
        _jpeg_with(b"\xff\xe2", b"ICC_PROFILE\0\x01\xff" + bytes(65_000), 100),
        _jpeg_with(b"\xff\xfe", html, 1_000),
        jpeg + b"PK\x03\x04" + bytes(1_000) + b"PK\x05\x06",
        b"GIF89a/*" + html + b"*/=1;",
        b"\xff\xd8\xff" + html,
        b"\x89PNG\r\n\x1a\n" + html,
        b"RIFF\xff\xff\xff\xffWEBPVP8X" + bytes(64),
        b"RIFF" + struct.pack("<I", 30) + b"WEBPVP8X" + struct.pack("<I", 10) + b"\x10\0\0\0" + b"\xff\xff\xff" * 2,
        _moving("WEBP", 200),
        _moving("PNG", 200),
        _moving("GIF", 200),
        b"%PDF-1.7\n" + jpeg,
        b"\0\0\0\x20ftypavif" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='window.canaried=1'/>",
        b"II*\0" + bytes(1_000),
        b"\x1f\x8b\x08" + bytes(100),
    )
    return made + tuple(one for one in photos(2_000).values() if len(one) < MIB)


def uploaded(dice: Random, site: Site) -> Request:
    """As a form's file, under a name and a type that are another's."""
    photo = dice.choice(lies())
    name = dice.choice((b"a.png", b"a.jpg", b"a.svg", b"a.html", b"../a.png", b""))
    kind = dice.choice((b"image/png", b"image/jpeg", b"image/svg+xml", b"text/html", b"../..", b""))
    more = b'; filename="%b"\r\nContent-Type: %b' % (name, kind)
    return posted(dice, site, form([field(b"image", photo, more), field(b"title", b"Lampe")]))


def in_json(dice: Random, site: Site) -> Request:
    """In base64, padded well."""
    image = {"base64": b64encode(dice.choice(lies())).decode()}
    if dice.random() < 0.5:
        image["media_type"] = dice.choice(("image/svg+xml", "text/html", "image/png\r\nX-Injected: y", "a" * 100))
    return ask(site, dice, Role.CUSTOMER, "POST", _PRODUCTS, {"title": "Lampe", "image": image})


def no_base64(dice: Random, site: Site) -> Request:
    """In base64 that is none, with a place as well, or with a place that is none of ours."""
    image = dice.choice(
        (
            {"base64": "A"},
            {"base64": "AAA"},
            {"base64": "AAAA="},
            {"base64": "AA==AA=="},
            {"base64": "====" * 1_000},
            {"base64": "AAA\nAAAA"},
            {"base64": "_-_-"},
            {"base64": "data:image/png;base64,AAAA"},
            {"base64": "é"},
            {"base64": "\u0000"},
            {"base64": "AAAA", "uri": "a.png"},
            {"uri": "file:///etc/passwd"},
            {"uri": "../../secrets/gateway.key"},
            {"uri": "/etc/passwd"},
            {"uri": "http://169.254.169.254/latest/meta-data/"},
            {"uri": "http://127.0.0.1:1/"},
            {"uri": "sha256:" + "0" * 64},
            {"uri": "sha256:../../secrets/gateway.key"},
            {"uri": "\u0000"},
            {"uri": "\\\\evil\\share\\a.png"},
            {"uri": "s3://" + "a" * 1_900},
        )
    )
    return ask(site, dice, Role.CUSTOMER, "POST", _PRODUCTS, {"title": "Lampe", "image": image})


KINDS: Final[dict[str, Kind]] = {"photo that lies": uploaded, "photo in base64": in_json, "no base64": no_base64}
