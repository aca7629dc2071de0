"""Photos from strangers: taken, or refused by name before anything decodes them."""

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from model.errors import PhotoBroken, PhotoFormat, PhotoInvalid, PhotoTooLarge
from model.image import check
from model.image.check import checked, media_format
from schemas.limits import MAX_PHOTO_BYTES

PIXELS = np.random.default_rng(0).integers(0, 255, (40, 30, 3), np.uint8)


def encoded(kind: str, mode: str = "RGB", **options: bool) -> bytes:
    """A photo of 30 x 40 pixels."""
    file = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(file, kind, **options)
    return file.getvalue()


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds a few bytes."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(encoded("JPEG"), id="jpeg"),
        pytest.param(encoded("JPEG", progressive=True), id="progressive"),
        pytest.param(encoded("JPEG", "CMYK"), id="cmyk"),
        pytest.param(encoded("JPEG", "L"), id="grey"),
        pytest.param(encoded("PNG"), id="png"),
        pytest.param(encoded("PNG", "RGBA"), id="alpha"),
        pytest.param(encoded("PNG", "I;16"), id="16-bit"),
        pytest.param(encoded("PNG", "P"), id="palette"),
        pytest.param(encoded("WEBP"), id="webp"),
        pytest.param(encoded("JPEG")[:-200], id="cut off in its pixels"),
    ],
)
def test_a_photo_passes_as_it_is(content: bytes) -> None:
    """JPEG, PNG and WebP of every kind, and what is left of a JPEG, are passed on unchanged."""
    assert content == checked(content)


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        pytest.param(b"", PhotoFormat, "is empty", id="empty"),
        pytest.param(encoded("GIF"), PhotoFormat, "is GIF", id="gif"),
        pytest.param(encoded("BMP"), PhotoFormat, "is BMP", id="bmp"),
        pytest.param(encoded("TIFF"), PhotoFormat, "is TIFF", id="tiff"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", PhotoFormat, "is SVG", id="svg"),
        pytest.param(b"\xef\xbb\xbf<?xml version='1.0'?><svg/>", PhotoFormat, "is SVG", id="svg in xml"),
        pytest.param(b"<!DOCTYPE html><html>404</html>", PhotoFormat, "is XML or HTML", id="html"),
        pytest.param(b"\0\0\0\x1cftypavif", PhotoFormat, "is AVIF or HEIC", id="avif"),
        pytest.param(bytes(range(256)), PhotoFormat, "no known format", id="noise"),
        pytest.param(png_of(30_000, 30_000), PhotoTooLarge, "pixels", id="png bomb"),
        pytest.param(png_of(10_000, 9_000), PhotoTooLarge, "pixels", id="more pixels than allowed"),
        pytest.param(png_of(2**31 - 1, 2**31 - 1), PhotoTooLarge, "pixels", id="absurd size"),
        pytest.param(png_of(0, 7), PhotoBroken, "PNG", id="no width"),
        pytest.param(encoded("PNG")[:-30], PhotoBroken, "cut off", id="png cut off"),
        pytest.param(encoded("WEBP")[:-30], PhotoBroken, "cut off", id="webp cut off"),
        pytest.param(encoded("JPEG")[:20], PhotoBroken, "cut off", id="jpeg without a header"),
        pytest.param(b"\xff\xd8\xff" + b"x" * 500, PhotoBroken, "damaged", id="noise that begins as a jpeg"),
        pytest.param(
            encoded("JPEG") + b"\xff\xda" * (check.MAX_SCANS + 1), PhotoTooLarge, "scans", id="thousands of scans"
        ),
        pytest.param(b"\xff\xd8\xff" + bytes(MAX_PHOTO_BYTES), PhotoTooLarge, "MiB", id="too many bytes"),
    ],
)
def test_what_is_no_safe_photo_is_refused_by_name(content: bytes, error: type[PhotoInvalid], said: str) -> None:
    """The error's class and its message say what is wrong, whatever the file was called."""
    with pytest.raises(PhotoInvalid) as caught:
        checked(content)
    assert error is type(caught.value)
    assert said in caught.value.message
    assert len(caught.value.message) < 200


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([encoded("JPEG"), encoded("PNG"), encoded("WEBP"), b""]),
    st.binary(max_size=60),
    st.integers(0, 400),
    st.booleans(),
)
def test_no_bytes_make_it_raise_anything_else(start: bytes, noise: bytes, at: int, cut: bool) -> None:
    """Damaged photos pass or are refused, and nothing else."""
    content = start[:at] + noise + (b"" if cut else start[at + len(noise) :])
    with contextlib.suppress(PhotoInvalid):
        assert content == checked(content)


def test_the_format_is_in_the_bytes() -> None:
    """What begins like a format is that format."""
    assert ["JPEG", "PNG", "WEBP", "GIF"] == [media_format(encoded(kind)) for kind in ("JPEG", "PNG", "WEBP", "GIF")]
