"""How good a set of answers is: accuracy, F1 by class, confusion, calibration."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from model.calibration import expected_calibration_error, reliability


class ClassScore(BaseModel):
    """One class: of how many rows, and how well it was found."""

    code: str
    label: str
    precision: float
    recall: float
    f1: float
    rows: int


class Evaluation(BaseModel):
    """The scores of a model on rows it did not learn from."""

    rows: int
    accuracy: float
    weighted_f1: float
    macro_f1: float
    ece: float
    accepted_share: float
    accepted_precision: float
    review_threshold: float
    classes: list[ClassScore]
    confusion: list[list[int]]
    reliability: list[tuple[float, float, int]]

    def metrics(self) -> dict[str, float]:
        """The figures that are one number each."""
        names = ("accuracy", "weighted_f1", "macro_f1", "ece", "accepted_share", "accepted_precision")
        return {name: round(getattr(self, name), 6) for name in names} | {"test_rows": float(self.rows)}


def evaluate(
    probabilities: NDArray[np.floating[Any]],
    truth: NDArray[np.int64],
    categories: Sequence[tuple[str, str]],
    threshold: float,
) -> Evaluation:
    """Score probabilities against the truth.

    Args:
        probabilities: [rows, classes].
        truth: Class index of each row.
        categories: (code, label) of each class.
        threshold: The model's review threshold.
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    said = probabilities.argmax(axis=1)
    confidence, right = probabilities.max(axis=1).astype(np.float64), said == truth
    every = np.arange(len(categories))
    precision, recall, f1, rows = precision_recall_fscore_support(truth, said, labels=every, zero_division=0.0)
    accepted = confidence >= threshold
    present = rows + np.bincount(said, minlength=len(every)) > 0  # as scikit-learn's macro average takes them
    return Evaluation(
        rows=len(truth),
        accuracy=float(right.mean()),
        weighted_f1=float(np.average(f1, weights=rows)),
        macro_f1=float(f1[present].mean()),
        ece=expected_calibration_error(confidence, right),
        accepted_share=float(accepted.mean()),
        accepted_precision=float(right[accepted].mean()) if accepted.any() else 0.0,
        review_threshold=threshold,
        classes=[
            ClassScore(code=code, label=label, precision=p, recall=r, f1=f, rows=n)
            for (code, label), p, r, f, n in zip(
                categories, precision.tolist(), recall.tolist(), f1.tolist(), rows.tolist(), strict=True
            )
        ],
        confusion=confusion_matrix(truth, said, labels=every).tolist(),
        reliability=reliability(confidence, right),
    )
