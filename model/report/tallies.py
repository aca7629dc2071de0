"""Accuracy and F1 out of sums over rows, so that they can be had for thousands of samples of the same rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Tallies = NDArray[np.floating[Any]]
"""[..., 3 x classes]: for each class how many answers hit it, rows it has, and answers it gets."""


def tally(truth: NDArray[np.int64], said: NDArray[np.int64], classes: int) -> csr_array:
    """What each row adds to the tallies, [rows, 3 x classes].

    Args:
        truth: Class index of each row.
        said: The answers, likewise; -1 for one that is no class.
        classes: How many there are.
    """
    rows = np.arange(len(truth))
    hit, known = said == truth, said >= 0
    columns = np.concatenate([truth[hit], classes + truth, 2 * classes + said[known]])
    lines = np.concatenate([rows[hit], rows, rows[known]])
    return csr_array((np.ones(len(lines)), (lines, columns)), shape=(len(rows), 3 * classes))


def accuracy(tallies: Tallies) -> NDArray[np.float64]:
    """Part of the rows whose answer is right."""
    hits, support, _ = np.split(np.asarray(tallies, np.float64), 3, axis=-1)
    result: NDArray[np.float64] = hits.sum(axis=-1) / support.sum(axis=-1)
    return result


def weighted_f1(tallies: Tallies) -> NDArray[np.float64]:
    """F1 averaged over the classes by their rows, as scikit-learn's ``average="weighted"``."""
    scores, support, _ = _f1(tallies)
    result: NDArray[np.float64] = (scores * support).sum(axis=-1) / support.sum(axis=-1)
    return result


def macro_f1(tallies: Tallies) -> NDArray[np.float64]:
    """F1 averaged over the classes that occur, as scikit-learn's ``average="macro"``."""
    scores, support, answers = _f1(tallies)
    result: NDArray[np.float64] = scores.sum(axis=-1) / (support + answers > 0).sum(axis=-1)
    return result


def _f1(tallies: Tallies) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """F1, rows and answers of each class."""
    hits, support, answers = np.split(np.asarray(tallies, np.float64), 3, axis=-1)
    return 2 * hits / np.maximum(support + answers, 1), support, answers
