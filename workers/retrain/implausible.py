"""Which corrections are less plausible than honest ones are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import numpy as np

from model.data.labelled import row_key
from workers.retrain.set_rows import SetRow
from workers.retrain.verdict_rows import Said

LIMIT: Final = 0.8
"""Part of the base rows that a model gets wrong which are more plausible than an implausible correction."""

_MOST_ROWS: Final = 10_000  # of the base set: a second or two
_KNOWN_ROWS: Final = 20  # of a category in the base set; of one with fewer nobody can say how its products look
_LEAST_WRONG: Final = 20


@dataclass(frozen=True, slots=True)
class Looked:
    """A correction that was looked at.

    Args:
        by: Who made it.
        predicted: What the product was taken for.
        code: What it is to them.
        feedback_id: Its id.
        strange: Whether it is implausible.
    """

    by: str
    predicted: str | None
    code: str
    feedback_id: str
    strange: bool


def implausible_of(said: Sequence[Said], rows: Sequence[SetRow], seed: int) -> list[Looked]:
    """Which corrections are implausible, of those of which that can be said.

    Args:
        said: What people say of each content.
        rows: The base set; golden rows are not looked at.
        seed: Of the sample and the folds.
    """
    from model.plausible import deficits

    base = sample([row for row in rows if row.side == "base"], _MOST_ROWS, seed)
    counts = Counter(row.category for row in base)
    words = [(one, word) for one in said for word in one.opinions if _tells(one, word.verdict, counts[word.code or ""])]
    if not words:
        return []
    codes = sorted({*counts, *(word.code or "" for _, word in words)})
    keys = [row.key for row in base] + [one.key for one, _ in words]
    truth = np.searchsorted(codes, [row.category for row in base] + [word.code or "" for _, word in words])
    # Without capitals and punctuation, so that a flood of one title with small changes is held out as one.
    groups = np.array([row_key(plain(key[0]), plain(key[1])) for key in keys], np.uint64)
    found = deficits([f"{key[0]} {key[1]}" for key in keys], truth, groups, seed=seed)
    wrong = found[: len(base)][found[: len(base)] > 0]
    if len(wrong) < _LEAST_WRONG:  # nothing to compare with
        return []
    strange = (found[len(base) :] > np.quantile(wrong, LIMIT)).tolist()
    return [
        Looked(word.by, one.predicted, word.code or "", word.feedback_id, odd)
        for (one, word), odd in zip(words, strange, strict=True)
    ]


def sample(rows: Sequence[SetRow], most: int, seed: int) -> list[SetRow]:
    """So many rows at most, chosen by their hashes, in their order: a larger sample has all rows of a smaller one."""
    if len(rows) <= most:
        return list(rows)
    ranks = [rank(row, seed) for row in rows]
    last = sorted(ranks)[most - 1]
    return [row for row, place in zip(rows, ranks, strict=True) if place <= last]


def rank(row: SetRow, seed: int) -> bytes:
    """A row's place in a random order that depends on the row and the seed alone."""
    return sha256(str(seed).encode() + row.line).digest()


def plain(text: str) -> str:
    """A cleaned text as its words alone."""
    return " ".join("".join(char if char.isalnum() else " " for char in text.casefold()).split())


def _tells(said: Said, verdict: str, known: int) -> bool:
    return verdict == "corrected" and known >= _KNOWN_ROWS and bool(said.title or said.description)
