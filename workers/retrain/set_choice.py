"""What goes into a training set, and what is left out of it and why."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from infra.feedback_log import Opinion
from infra.images import ImageStore
from model.data.labelled import row_key
from model.data.split import grouped
from schemas.taxonomy import Taxonomy
from workers.retrain.authors import golden_codes
from workers.retrain.implausible import plain, rank
from workers.retrain.set_manifest import Disputed
from workers.retrain.set_rows import Key, SetRow
from workers.retrain.verdict_rows import Said, standing

REPLAY_PER_NEW: Final = 10
"""Old rows for a new one that always teach again: with fewer a model forgets."""
REPLAY_ROWS: Final = 20_000
"""Old rows that always teach again, however few are new: their training takes a minute or two."""
REPLAY_CLASS_ROWS: Final = 50
"""Of these a category at least, if it has them."""


@dataclass
class Chosen:
    """The rows made from verdicts, and what became of all others."""

    rows: list[SetRow] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    rejected_keys: set[Key] = field(default_factory=set)
    disputed: list[Disputed] = field(default_factory=list)
    outside: dict[str, list[str]] = field(default_factory=dict)
    repeats: int = 0
    without_content: int = 0
    joining: list[str] = field(default_factory=list)


def choose(said: Sequence[Said], base: Sequence[SetRow], taxonomy: Taxonomy, images: ImageStore) -> Chosen:
    """The rows that verdicts make, in the order of their ids.

    A golden row keeps its category, whatever people say of the same content: it measures, and is listed as disputed.
    What says the same of the same title as another verdict, but for capitals and punctuation, counts once. Products
    that join a golden row with one that teaches, to one by their title and to the other by their photo, are left out:
    all that is joined goes to one side of a split.
    """
    golden, found = golden_codes(base), Chosen()
    words: list[tuple[Said, Opinion]] = sorted(
        ((one, standing(one.opinions)) for one in said), key=lambda pair: (pair[1].at, pair[1].feedback_id)
    )
    rows: dict[Key, SetRow] = {}
    for one, word in words:
        photo = one.photo if one.photo and images.path(one.photo).is_file() else None
        row = SetRow(one.title, one.description, word.code or "", photo, photo, "verdict", word.feedback_id)
        if right := golden.get(row.key):
            if word.code not in right:
                said_code = word.code or word.verdict
                found.disputed.append(
                    Disputed(feedback_id=word.feedback_id, golden=sorted(right), said=said_code, by=word.by)
                )
        elif word.code is None:
            found.rejected.append(word.feedback_id)
            found.rejected_keys.add(row.key)
            rows.pop(row.key, None)
        elif word.code not in taxonomy:
            found.outside.setdefault(word.code, []).append(word.feedback_id)
        elif not any(row.key):
            found.without_content += 1
        else:
            found.repeats += row.key in rows
            found.rejected_keys.discard(row.key)
            rows[row.key] = row  # of two contents that no model can tell apart the later word counts
    once = {(plain(row.key[0]) or plain(row.key[1]) or row.key, row.category): row for row in rows.values()}
    found.repeats += len(rows) - len(once)
    every = sorted(once.values(), key=lambda row: row.feedback_id or "")
    joins = _joining(base, every)
    found.rows = [row for row, out in zip(every, joins, strict=True) if not out]
    found.joining = [row.feedback_id or "" for row, out in zip(every, joins, strict=True) if out]
    found.rejected.sort()
    return found


def _joining(base: Sequence[SetRow], rows: Sequence[SetRow]) -> list[bool]:
    """Of rows that verdicts make: whether they join golden rows with others."""
    every = [*base, *rows]
    keys = np.array([row_key(*row.key[:2], row.image or "") for row in every], np.uint64)
    photos = {photo: number for number, photo in enumerate(sorted({row.photo for row in every if row.photo}))}
    groups = grouped(keys, np.array([photos.get(row.photo or "", -1) for row in every], np.int64)).tolist()
    sides: dict[int, set[str]] = {}
    for row, group in zip(base, groups, strict=False):
        sides.setdefault(group, set()).add(row.side)
    return [sides.get(group, set()) >= {"golden", "base"} for group in groups[len(base) :]]


def left_out(base: Sequence[SetRow], chosen: Chosen, seed: int) -> list[int]:
    """Numbers of the rows of the base set that are not in the training set.

    A person's word takes the place of a row with the same content; what people reject goes; and where the others are
    more than `REPLAY_ROWS` and more than `REPLAY_PER_NEW` a new row, a sample of each category stays. Golden rows
    always stay.
    """
    taken = {row.key for row in chosen.rows} | chosen.rejected_keys
    gone = {number for number, row in enumerate(base) if row.side == "base" and row.key in taken}
    rest = [number for number, row in enumerate(base) if row.side == "base" and number not in gone]
    most = max(REPLAY_ROWS, REPLAY_PER_NEW * len(chosen.rows))
    if len(rest) > most:
        gone |= set(rest) - _sampled(base, rest, most, seed)
    return sorted(gone)


def _sampled(base: Sequence[SetRow], rest: Collection[int], most: int, seed: int) -> set[int]:
    """Of each category its share, chosen by the rows' hashes: a larger sample has all rows of a smaller one."""
    of_class = Counter(base[number].category for number in rest)
    left = {code: max(REPLAY_CLASS_ROWS, rows * most // len(rest)) for code, rows in of_class.items()}
    kept = set()
    for number in sorted(rest, key=lambda one: rank(base[one], seed)):
        code = base[number].category
        if left[code] > 0:
            left[code] -= 1
            kept.add(number)
    return kept
