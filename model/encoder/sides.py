"""Cuts of rows into parts to learn from and parts to judge by; rows of one title are in one part."""

import numpy as np
from numpy.typing import NDArray

from model.data.labelled import row_key
from model.data.split import cross_validation, split_rows
from model.rows import Rows
from model.stages import Truth

Indices = NDArray[np.int64]


def sides(rows: Rows, truth: Truth, share: float, seed: int) -> tuple[Indices, Indices]:
    """Row numbers to train on and to validate with; rows whose truth is below 0 are on neither side."""
    known = np.flatnonzero(truth >= 0)
    codes, keys = truth[known].astype(np.str_), _keys(rows)[known]
    split = split_rows(codes, keys, seed=seed, test_share=0, validation_share=share)
    return known[split.train], known[split.validation]


def folds(rows: Rows, truth: Truth, count: int, seed: int) -> list[tuple[Indices, Indices]]:
    """For each of so many parts, the row numbers of the others and its own, of rows whose truth is known."""
    known = np.flatnonzero(truth >= 0)
    parts = cross_validation(truth.astype(np.str_), _keys(rows), known, count=count, seed=seed)
    return [(fit, held) for fit, held in parts if len(fit) and len(held)]


def _keys(rows: Rows) -> NDArray[np.uint64]:
    """The keys by which a whole training splits them, too."""
    return np.array([row_key(*texts) for texts in zip(rows.titles, rows.descriptions, strict=True)], np.uint64)
