"""Product photos, rendered: what is drawn depends on the category, but not on it alone."""

import io
from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from model.synthetic.market import pick, pick_frequent
from model.synthetic.pencil import Colour, Pencil
from model.synthetic.shapes import SHAPES
from model.synthetic.vocabulary import neighbours

LOOKS: Final[Mapping[str, tuple[str, str]]] = {
    "10": ("book spines card", "cool"),
    "40": ("case carton book", "vivid"),
    "50": ("pad cable console", "dark"),
    "60": ("console pad carton", "dark"),
    "1140": ("person carton crowd", "vivid"),
    "1160": ("card cards carton", "warm"),
    "1180": ("crowd person blocks", "earth"),
    "1280": ("blocks vehicle person ball", "vivid"),
    "1281": ("board carton cards", "warm"),
    "1300": ("vehicle drone pipe", "dark"),
    "1301": ("garment ring", "pastel"),
    "1302": ("ball tool pool parasol", "vivid"),
    "1320": ("carriage bottle garment", "pastel"),
    "1560": ("sofa table chair tower", "earth"),
    "1920": ("cloth sofa garment", "pastel"),
    "1940": ("bottle carton ball", "warm"),
    "2060": ("lamp vase cloth plant", "warm"),
    "2220": ("ring tower ball", "earth"),
    "2280": ("book cloth card", "vivid"),
    "2403": ("spines book carton", "vivid"),
    "2462": ("spines case console pad", "dark"),
    "2522": ("pen book carton", "cool"),
    "2582": ("parasol chair table plant", "garden"),
    "2583": ("pool pipe tool", "water"),
    "2585": ("tool plant pipe", "garden"),
    "2705": ("book spines", "earth"),
    "2905": ("case card console", "cool"),
}
"""By code, what a photo shows, the likeliest first, and its palette."""

# Hue from and to (0 to 255), saturation, value; a hue beyond 255 goes round.
_PALETTES: Final[Mapping[str, tuple[int, int, int, int]]] = {
    "vivid": (0, 255, 210, 215),
    "warm": (240, 300, 180, 205),
    "cool": (120, 185, 140, 190),
    "dark": (0, 255, 50, 75),
    "earth": (12, 38, 130, 150),
    "pastel": (0, 255, 70, 235),
    "garden": (40, 100, 160, 150),
    "water": (130, 160, 190, 215),
}

_ELSEWHERE = 0.22  # of the photos show what a neighbouring category shows
_ANYTHING = 0.08  # of the photos show something else: a logo, a room, the wrong file
_OTHER_PALETTE = 0.25
_NOISE_SIDE = 512
_BROKEN = ("cut", "empty", "not an image", "head gone")


def render_photo(random: Random, code: str) -> bytes:
    """A JPEG of 160 to 224 pixels a side for a product of this category."""
    width, height = (160 + 16 * int(random.random() * 5) for _ in range(2))
    shape, palette = _look(random, code)
    image = _background(random, width, height)
    side = min(width, height) * (0.55 + 0.4 * random.random())
    left, top = (width - side) * random.random(), (height - side) * random.random()
    colours = _colours(random, palette)
    SHAPES[shape](Pencil(ImageDraw.Draw(image), left, top, side, colours, random))
    turn = random.gauss(0, 6)
    image = image.rotate(turn, Image.Resampling.BILINEAR, fillcolor=image.getpixel((0, 0)))
    image = _grainy(random, image)
    written = io.BytesIO()
    image.save(written, "JPEG", quality=70 + int(random.random() * 23))
    return written.getvalue()


def break_photo(random: Random, photo: bytes) -> bytes:
    """A photo that no decoder can read whole: cut off, empty, of another kind, or without its head."""
    match pick(random, _BROKEN):
        case "cut":
            return photo[: len(photo) // 2]
        case "empty":
            return b""
        case "head gone":
            return photo[200:]
        case _:
            return b"<html><body>404 Not Found</body></html>"


def _look(random: Random, code: str) -> tuple[str, str]:
    part = random.random()
    if part < _ANYTHING:
        shape, palette = pick(random, tuple(SHAPES)), pick(random, tuple(_PALETTES))
    else:
        shown = pick(random, neighbours()[code]) if part < _ANYTHING + _ELSEWHERE else code
        shapes, palette = LOOKS[shown]
        shape = pick_frequent(random, shapes.split())
    return shape, pick(random, tuple(_PALETTES)) if random.random() < _OTHER_PALETTE else palette


def _background(random: Random, width: int, height: int) -> Image.Image:
    """Mostly near white, as shops want it; else a wall of some colour that grows darker downward."""
    if random.random() < 0.6:
        grey = 240 + int(random.random() * 16)
        return Image.new("RGB", (width, height), (grey, grey, grey))
    colour = np.array(_hsv(int(random.random() * 256), 40, 225), np.float32)
    fall = np.linspace(1.0, 0.6 + 0.4 * random.random(), height, dtype=np.float32)
    return Image.fromarray(np.repeat((fall[:, None, None] * colour).astype(np.uint8), width, axis=1))


def _colours(random: Random, palette: str) -> tuple[Colour, Colour, Colour]:
    low, high, saturation, value = _PALETTES[palette]

    def one(darker: float) -> Colour:
        hue = int(low + (high - low) * random.random()) % 256
        spread = int(random.gauss(0, 20))
        return _hsv(hue, _byte(saturation + spread), _byte((value + spread) * darker))

    return one(1.0), one(1.15), one(0.45)


def _grainy(random: Random, image: Image.Image) -> Image.Image:
    """The image in a light of its own, with a sensor's noise."""
    pixels = np.asarray(image, np.float32)
    height, width = pixels.shape[:2]
    top, left = (int(random.random() * (_NOISE_SIDE - side)) for side in (height, width))
    light, grain = 0.8 + 0.35 * random.random(), 2 + 10 * random.random()
    noise = grain * _noise()[top : top + height, left : left + width, None]
    return Image.fromarray(np.clip(pixels * light + noise, 0, 255).astype(np.uint8))


@cache
def _noise() -> NDArray[np.float32]:
    """One sheet of noise, of which each photo gets a piece: drawing it anew takes as long as all the rest."""
    return np.random.default_rng(0).standard_normal((_NOISE_SIDE, _NOISE_SIDE), np.float32)


def _hsv(hue: int, saturation: int, value: int) -> Colour:
    red, green, blue = Image.new("HSV", (1, 1), (hue, saturation, value)).convert("RGB").tobytes()
    return red, green, blue


def _byte(value: float) -> int:
    return int(min(max(value, 0), 255))
