"""One cleaning of text, for training and serving alike.

It is Python and not part of the TensorFlow graph: TensorFlow has no HTML entity decoder, and NFKC only in an
add-on package without wheels for every Python we support. So the graph takes cleaned text, and every road into
it, at training, evaluation and serving, goes through :func:`clean`. What TensorFlow does well (splitting into
words, n-grams, weights) stays inside the graph.
"""

import html
import re
import unicodedata
from typing import Final

MAX_TITLE: Final = 1_000
MAX_DESCRIPTION: Final = 3_000
"""Characters kept after cleaning. What decides is said early, and the cost of a row stays bounded."""

_RAW_PER_KEPT = 4  # markup and entities may take this many times the room of the text they hold
_TAG = re.compile(r"<[/!?]?[a-zA-Z\-][^<>]*>")


def clean(text: str | None, limit: int, *, keep_case: bool = False) -> str:
    """Text without markup: entities decoded, tags dropped, NFKC, lower case, single spaces.

    Args:
        text: What the producer sent; None is the empty text.
        limit: Most characters to keep.
        keep_case: Leave capitals, for tokenizers that know them.
    """
    if not text:
        return ""
    text = part_read(text, limit)
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    text = _single_spaced(text)[:limit]
    if text.isascii():
        return (text if keep_case else text.lower()).rstrip(" ")
    # Cut before as well as after: one character may become 18.
    plain = unicodedata.normalize("NFKC", text)
    if plain is not text:  # the same object is told when there is nothing to do
        plain = _single_spaced(plain)
    if not plain.isprintable():
        # A lone surrogate is no character and cannot be encoded for the graph.
        plain = plain.encode("utf-8", "replace").decode()
    return (plain if keep_case else plain.lower()).rstrip(" ")[:limit]


def part_read(text: str, limit: int) -> str:
    """The beginning of a text that is read for so many characters of the cleaned one."""
    return text[: limit * _RAW_PER_KEPT]


def is_cut(text: str, limit: int) -> bool:
    """Whether a text has more than what is kept of it."""
    part = part_read(text, limit)
    return len(text) > len(part) or clean(part, 18 * len(part)) != clean(part, limit)


def _single_spaced(text: str) -> str:
    """What ``" ".join(text.split())`` gives; most texts have no other space than the blank, and none twice."""
    if "  " not in text and text.isprintable():  # the blank is the only space that counts as printable
        return text.strip(" ")
    return " ".join(text.split())


def clean_title(title: str | None) -> str:
    """A title, cleaned."""
    return clean(title, MAX_TITLE)


def clean_description(description: str | None) -> str:
    """A description, cleaned."""
    return clean(description, MAX_DESCRIPTION)
