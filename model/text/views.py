"""Which features of a text a network adds up: its views, each weighted and brought to length 1 by itself."""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["words", "stems", "chars", "pairs", "start"]
"""What is counted: words; words cut short; character n-grams of words; neighbours; the first word and the first two."""

Field = Literal["title", "description"]
"""Where."""

FIELDS: Final[tuple[Field, ...]] = ("title", "description")
OF_WORDS: Final[tuple[Kind, ...]] = ("words", "stems", "chars")
"""Kinds that a word has wherever it stands. What a known word adds by them is summed up beforehand."""


@dataclass(frozen=True)
class View:
    """Some kinds of features of some fields.

    Args:
        kinds: What is counted, together.
        fields: Where. Two fields of one view share their features; two views do not.
        weight: Of the view beside the others; the length of its rows is its root.
    """

    kinds: tuple[Kind, ...]
    fields: tuple[Field, ...] = ("title", "description")
    weight: float = 1.0


VIEWS: Final = (
    View(("words", "pairs")),
    View(("chars",)),
    View(("stems",), weight=0.5),
    View(("start",), ("title",), 0.5),
    View(("chars",), ("title",), 0.5),
    View(("start",), ("description",), 0.3),
)
"""Those of the text stage."""
