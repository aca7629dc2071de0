"""How far confidence may be believed, and the confidence below which a person looks."""

import numpy as np
from numpy.typing import NDArray

from model.fusion import NEVER

Floats = NDArray[np.float64]

ECE_BINS = 15
"""Bins of the expected calibration error, as in Guo et al. 2017, "On Calibration of Modern Neural Networks"."""


def review_threshold(confidence: Floats, right: NDArray[np.bool_], precision: float) -> float:
    """The lowest confidence from which predictions, taken together, are right often enough.

    Args:
        confidence: Of held-out predictions.
        right: Whether each was right.
        precision: Share of right ones that predictions without review must have.

    Returns:
        The threshold; `model.fusion.NEVER` when no choice reaches the precision, so that everything is reviewed.
    """
    order = np.argsort(-confidence, kind="stable")
    reached = np.cumsum(right[order]) / np.arange(1, len(order) + 1) >= precision
    ends = np.append(np.diff(confidence[order]) != 0, True)  # equal confidences fall on one side together
    usable = np.flatnonzero(reached & ends) if len(order) else np.empty(0, np.int64)
    return float(confidence[order][usable[-1]]) if len(usable) else NEVER


def reliability(confidence: Floats, right: NDArray[np.bool_]) -> list[tuple[float, float, int]]:
    """Mean confidence, accuracy and count of each bin of equal width that holds a prediction."""
    bins = np.minimum((confidence * ECE_BINS).astype(np.int64), ECE_BINS - 1)
    return [
        (float(confidence[inside].mean()), float(right[inside].mean()), int(inside.sum()))
        for number in range(ECE_BINS)
        if (inside := bins == number).any()
    ]


def expected_calibration_error(confidence: Floats, right: NDArray[np.bool_]) -> float:
    """Mean distance of confidence and accuracy over the bins, weighted by their counts (Guo et al. 2017)."""
    rows = max(len(confidence), 1)
    return sum(abs(mean - accuracy) * count for mean, accuracy, count in reliability(confidence, right)) / rows
