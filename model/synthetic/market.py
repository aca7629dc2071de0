"""Who sells what, and how much of it: groups of categories, their shares, languages and sizes."""

from bisect import bisect
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import accumulate
from random import Random
from typing import Final

from schemas.taxonomy import Taxonomy

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "books": ("10", "2280", "2403", "2705"),
    "gaming": ("40", "50", "60", "2462", "2905"),
    "collect": ("1140", "1160", "1180"),
    "toys": ("1280", "1281", "1300", "1302"),
    "baby": ("1301", "1320"),
    "home": ("1560", "1920", "2060"),
    "garden": ("2582", "2583", "2585"),
    "pets": ("2220",),
    "food": ("1940",),
    "paper": ("2522",),
}
GROUP_OF: Final = {code: group for group, codes in GROUPS.items() for code in codes}

IMBALANCE: Final = 13.0
"""The largest category has this many times the products of the smallest."""

# From the largest category to the smallest; an order of our own.
_BY_SIZE = (
    *("2583", "1560", "1300", "2060", "1280", "2522", "1920", "2403", "2582", "1160", "2280", "1320", "10", "40"),
    *("1140", "2705", "2585", "1302", "2220", "50", "2462", "1281", "2905", "1301", "60", "1940", "1180"),
)
_FLAT = 4.0
_LANGUAGES = {"fr": 0.78, "en": 0.14, "de": 0.08}
_FOREIGN = {"fr": 0.30, "en": 0.45, "de": 0.25}  # the category of foreign books

_SIZES: Final[Mapping[str, tuple[str, ...]]] = {
    "books": ("{a} pages", "tome {b}", "n° {a}", "19{c}", "20{d}", "vol. {b}", "in-8"),
    "gaming": ("{b} go", "{a} go", "v{b}.0", "{b} m", "pack de {b}"),
    "collect": ("{b} cm", "1/{b}", "#{a}", "{a}/{e}", "28 mm"),
    "toys": ("{b} cm", "{a} pièces", "1/{b}", "{b} en 1", "{a} g", "2.4 ghz"),
    "baby": ("{b} mois", "{a} ml", "{b} kg", "t{b}", "lot de {b}"),
    "home": ("{a} x {e} cm", "{a}x{e}cm", "{a} cm", "{b} pièces", "h{a} cm"),
    "garden": ("{a} x {e} cm", "{b} m", "{a} w", "{a} l", "{b},5 m3/h", "ø {a} cm"),
    "pets": ("{b} kg", "{a} l", "{a} cm", "taille {b}", "{b} m"),
    "food": ("{a} g", "{b} x {a} g", "{b} kg", "{a} cl", "{b} sachets"),
    "paper": ("a{f}", "lot de {b}", "{a} feuilles", "{b} mm", "{a} g/m²"),
}


@cache
def shares(*, drifted: bool = False) -> Mapping[str, float]:
    """Part of each category, summing to 1: geometric from the largest to the smallest, 13 to 1.

    Drift moves every category a third of the ranking down, the last third to its top.
    """
    codes = _BY_SIZE[-len(_BY_SIZE) // 3 :] + _BY_SIZE[: -len(_BY_SIZE) // 3] if drifted else _BY_SIZE
    weights = [IMBALANCE ** (-rank / (len(codes) - 1)) for rank in range(len(codes))]
    by_code = dict(zip(codes, weights, strict=True))
    return {code: by_code[code] / sum(weights) for code in Taxonomy.builtin().codes}


def pick_code(random: Random, *, drifted: bool) -> str:
    """A category, by its share."""
    codes, ends = _cumulative(drifted=drifted)
    return codes[min(bisect(ends, random.random()), len(codes) - 1)]


def pick_language(random: Random, code: str) -> str:
    """Mostly French, some English and German; foreign books mostly not French."""
    part = random.random()
    for language, share in (_FOREIGN if code == "10" else _LANGUAGES).items():
        part -= share
        if part < 0:
            return language
    return "fr"


def pick_size(random: Random, code: str) -> str:
    """A measure as the category's group gives it, such as ``120 x 60 cm``."""
    form = pick(random, _SIZES[GROUP_OF[code]])
    number = random.random
    return form.format(
        a=int(20 + 480 * number() ** 2) // 5 * 5,
        b=2 + int(22 * number() ** 2),
        c=10 + int(89 * number()),
        d=f"{int(26 * number()):02}",
        e=int(40 + 260 * number()) // 10 * 10,
        f=3 + int(3 * number()),
    )


def pick(random: Random, words: Sequence[str]) -> str:
    """One of the words, all alike."""
    return words[int(random.random() * len(words))]


def pick_frequent(random: Random, words: Sequence[str]) -> str:
    """One of the words, the k-th with a chance that falls as 1/(k + 4): a few are common, most are rare.

    That is Mandelbrot's form of Zipf's law; without its offset a single brand would have an eighth of all.
    """
    return words[int(_FLAT * (1 + len(words) / _FLAT) ** random.random() - _FLAT)]


@cache
def _cumulative(*, drifted: bool) -> tuple[tuple[str, ...], list[float]]:
    by_code = shares(drifted=drifted)
    return tuple(by_code), list(accumulate(by_code.values()))
