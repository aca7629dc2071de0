"""Where the words of a cleaned text stand in the text as it came."""

import html
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

_TAG: Final = re.compile(r"<[/!?]?[a-zA-Z\-][^<>]*>")
_ENTITY: Final = re.compile(r"&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)")

Span = tuple[int, int]
"""First character and the one behind the last, counted in code points of the text as it came."""


def spans_of(words: Sequence[str], text: str) -> list[Span | None]:
    """The place of each word; None for one that is written otherwise there, such as with a letter and its accent apart.

    Args:
        words: Those of the cleaned text, in order.
        text: As it came, as far as it was read; the time that this takes grows with its length and no faster.
    """
    plain, origins = _plain(text)
    runs = _runs(plain)
    places: dict[str, list[int]] = {}
    for number, (start, end) in enumerate(runs):
        places.setdefault(plain[start:end], []).append(number)
    found: list[Span | None] = []
    first = 0
    for word in words:
        there = places.get(word, [])
        at = bisect_left(there, first)
        if at == len(there):
            found.append(None)
            continue
        start, end = runs[there[at]]
        first = there[at] + 1
        found.append((origins[start][0], origins[end - 1][1]))
    return found


def _plain(text: str) -> tuple[str, list[Span]]:
    """A text as it is cleaned, character by character, and where each character came from."""
    chars, origins = list[str](), list[Span]()
    at = 0
    for entity in _ENTITY.finditer(text):
        chars += text[at : entity.start()]
        origins += [(place, place + 1) for place in range(at, entity.start())]
        meant = html.unescape(entity[0])
        chars += meant
        origins += [entity.span()] * len(meant)
        at = entity.end()
    chars += text[at:]
    origins += [(place, place + 1) for place in range(at, len(text))]
    for tag in _TAG.finditer("".join(chars)):
        chars[tag.start() : tag.end()] = " " * (tag.end() - tag.start())
    lower = [unicodedata.normalize("NFKC", char).lower() for char in chars]
    return "".join(lower), [origin for part, origin in zip(lower, origins, strict=True) for _ in part]


def _runs(plain: str) -> list[Span]:
    """The words of a text, as `model.words.split` finds them, by their first character and the one behind the last."""
    of_words = [unicodedata.category(char)[0] in "LMN" for char in plain]
    edges = [at for at, (before, here) in enumerate(pairwise([False, *of_words, False])) if before != here]
    return list(zip(edges[::2], edges[1::2], strict=True))
