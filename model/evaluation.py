"""How good a set of answers is: accuracy, F1 by class, confusion, calibration."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from model.calibration import expected_calibration_error, reliability


class ClassScore(BaseModel):
    """One class: of how many rows, and how well it was found."""

    code: str
    label: str
    precision: float
    recall: float
    f1: float
    rows: int
    theme: str | None = None


class ThemeScore(BaseModel):
    """The classes of one theme together; '' for those without one."""

    theme: str
    classes: int
    rows: int
    accuracy: float = Field(description="Part of its rows whose very class was found.")
    theme_accuracy: float = Field(description="Part of its rows whose answer lies in the theme.")
    precision: float = Field(description="Part of the answers in the theme whose rows belong to it.")


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
    themes: list[ThemeScore] = []

    @property
    def theme_accuracy(self) -> float | None:
        """Part of all rows whose answer lies in the right theme; None where there are no themes."""
        return sum(theme.theme_accuracy * theme.rows for theme in self.themes) / self.rows if self.themes else None

    def metrics(self) -> dict[str, float]:
        """The figures that are one number each."""
        names = ("accuracy", "weighted_f1", "macro_f1", "ece", "accepted_share", "accepted_precision")
        return {name: round(getattr(self, name), 6) for name in names} | {"test_rows": float(self.rows)}


def evaluate(
    probabilities: NDArray[np.floating[Any]],
    truth: NDArray[np.int64],
    categories: Sequence[tuple[str, str]],
    threshold: float,
    themes: Sequence[str | None] = (),
) -> Evaluation:
    """Score probabilities against the truth.

    Args:
        probabilities: [rows, classes].
        truth: Class index of each row.
        categories: (code, label) of each class.
        threshold: The model's review threshold.
        themes: Theme of each class, None where it has none; empty when the taxonomy has no themes.
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    said = probabilities.argmax(axis=1)
    confidence, right = probabilities.max(axis=1).astype(np.float64), said == truth
    every = np.arange(len(categories))
    precision, recall, f1, rows = precision_recall_fscore_support(truth, said, labels=every, zero_division=0.0)
    accepted = confidence >= threshold
    confusion = confusion_matrix(truth, said, labels=every)
    own_themes = themes or [None] * len(categories)
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
            ClassScore(code=code, label=label, precision=p, recall=r, f1=f, rows=n, theme=theme)
            for (code, label), p, r, f, n, theme in zip(
                categories, precision.tolist(), recall.tolist(), f1.tolist(), rows.tolist(), own_themes, strict=True
            )
        ],
        confusion=confusion.tolist(),
        reliability=reliability(confidence, right),
        themes=_theme_scores(confusion, own_themes),
    )


def _theme_scores(confusion: NDArray[np.int64], themes: Sequence[str | None]) -> list[ThemeScore]:
    """The confusion matrix rolled up; nothing where themes say no more, or less, than classes do."""
    names = sorted({theme or "" for theme in themes})
    if not 1 < len(names) < len(themes):
        return []
    member = np.array([names.index(theme or "") for theme in themes])
    rolled = np.zeros((len(names), len(names)), np.int64)
    np.add.at(rolled, (member[:, None], member[None, :]), confusion)
    exact = np.bincount(member, confusion.diagonal(), minlength=len(names))
    rows, answers = (np.maximum(rolled.sum(axis=axis), 1) for axis in (1, 0))
    return [
        ThemeScore(
            theme=name,
            classes=int((member == number).sum()),
            rows=int(rolled[number].sum()),
            accuracy=float(exact[number] / rows[number]),
            theme_accuracy=float(rolled[number, number] / rows[number]),
            precision=float(rolled[number, number] / answers[number]),
        )
        for number, name in enumerate(names)
    ]
