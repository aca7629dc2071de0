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


def clean(text: str | None, limit: int) -> str:
    """Text without markup: entities decoded, tags dropped, NFKC, lower case, single spaces.

    Args:
        text: What the producer sent; None is the empty text.
        limit: Most characters to keep.
    """
    if not text:
        return ""
    text = text[: limit * _RAW_PER_KEPT]
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    text = " ".join(text.split())[:limit]
    if not text.isascii():
        # Cut before as well as after: one character may become 18.
        # A lone surrogate is no character and cannot be encoded for the graph.
        text = unicodedata.normalize("NFKC", text).encode("utf-8", "replace").decode()
    return " ".join(text.lower().split())[:limit]


def clean_title(title: str | None) -> str:
    """A title, cleaned."""
    return clean(title, MAX_TITLE)


def clean_description(description: str | None) -> str:
    """A description, cleaned."""
    return clean(description, MAX_DESCRIPTION)
