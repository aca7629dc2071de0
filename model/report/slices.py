"""Accuracy and calibration of rows that have something in common, so that an average hides nobody."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from model.calibration import expected_calibration_error
from model.report.bootstrap import Bootstrap, interval
from model.report.schema import Slice
from model.rows import MODALITIES, Rows

MIN_INTERVAL_TITLES: Final = 20
"""With fewer the interval is too narrow to be shown: three rows that are right give 100 % to 100 %."""

MAX_LANGUAGES: Final = 8
MIN_LANGUAGE: Final = 0.01
"""Part of the rows that a language has to have for a slice of its own: a guess at few words is wrong now and then."""

TITLE_LENGTHS: Final = (20, 40, 80, 160)
"""Upper bounds, in characters, of the slices by title length; fixed, so that trainings can be compared."""

RARE: Final = 0.5
"""A category is rare if it has less than this part of an equal share of the training rows."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Grounds:
    """What rows are told apart by.

    Args:
        products: The rows.
        rare: Whether each row's category is a rare one.
        languages: ISO 639-1 code of each row, '' where unknown; empty when nobody asked.
        decided_by: Last stage that each row was asked of; empty when nobody asked.
    """

    products: Rows
    rare: Mask
    languages: Sequence[str] = ()
    decided_by: Sequence[str] = ()


def rare_rows(truth: NDArray[np.int64], prior: Sequence[float]) -> Mask:
    """Which rows are of a rare category.

    Args:
        truth: Class index of each row.
        prior: Share of each class among the training rows.
    """
    rare: Mask = np.array(prior)[truth] * len(prior) < RARE
    return rare


def slices(
    grounds: Grounds,
    confidence: NDArray[np.float64],
    right: Mask,
    groups: NDArray[np.integer[Any]],
    *,
    seed: int = 0,
) -> list[Slice]:
    """The slices that are part of the rows, neither none nor all of them.

    Args:
        grounds: What rows are told apart by.
        confidence: Of each answer.
        right: Whether each answer is.
        groups: Rows that the bootstrap draws together.
        seed: Of the bootstrap.
    """
    parts = [(kind, name, mask) for kind, name, mask in _parts(grounds) if mask.any() and not mask.all()]
    if not parts:
        return []
    masks = np.array([mask for _, _, mask in parts]).T
    bootstrap = Bootstrap(groups, seed=seed)
    rows, hits = (bootstrap.sums(csr_array(chosen, dtype=np.float64)) for chosen in (masks, masks & right[:, None]))
    return [
        Slice(
            kind=kind,
            name=name,
            rows=int(mask.sum()),
            accuracy=float(right[mask].mean()),
            ece=expected_calibration_error(confidence[mask], right[mask]),
            interval=interval(hits[:, number] / rows[:, number])
            if len(np.unique(groups[mask])) >= MIN_INTERVAL_TITLES
            else None,
        )
        for number, (kind, name, mask) in enumerate(parts)
    ]


def _parts(grounds: Grounds) -> Iterator[tuple[str, str, Mask]]:
    """Kind, name and rows of every slice there might be."""
    yield from _by_language(grounds.languages)
    for modality, present in zip(MODALITIES, grounds.products.present.T, strict=True):
        what = "photo" if modality == "image" else modality
        yield what, f"with {what}", present
        yield what, f"without {what}", ~present
    yield from _by_title_length(grounds.products)
    yield "category", "rare categories", grounds.rare
    yield "category", "other categories", ~grounds.rare
    stages = np.array(grounds.decided_by)
    for stage in dict.fromkeys(grounds.decided_by):
        yield "decided by", stage, stages == stage


def _by_language(languages: Sequence[str]) -> Iterator[tuple[str, str, Mask]]:
    codes = np.array(languages)
    counts = Counter(languages).most_common()
    often = [code for code, rows in counts if code and rows >= MIN_LANGUAGE * len(languages)][:MAX_LANGUAGES]
    for code in often:
        yield "language", code, codes == code
    if len(languages):
        yield "language", "other or unknown", ~np.isin(codes, often)


def _by_title_length(products: Rows) -> Iterator[tuple[str, str, Mask]]:
    lengths = np.array([len(title) for title in products.titles])
    below = 0
    for limit in TITLE_LENGTHS:
        yield "title length", f"{below + 1} to {limit} characters", (lengths > below) & (lengths <= limit)
        below = limit
    yield "title length", f"over {below} characters", lengths > below
