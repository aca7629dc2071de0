"""The report's pictures: confusion matrix and reliability diagram."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from model.evaluation import Evaluation

MAX_LABEL_CHARS: Final = 70
_DPI = 110
_BLUE = "#1f5f99"


def draw_confusion(evaluation: Evaluation, path: Path) -> None:
    """The confusion matrix, each row in shares of its class: true classes down, answers across."""
    labels = [_short(score.label) for score in evaluation.classes]
    counts = np.array(evaluation.confusion, np.float64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    many = len(labels) > 30
    side = max(4.5, 0.24 * len(labels) if many else 0.42 * len(labels))
    figure, axes = _figure(side + 3.5, side + 2.5)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    every = np.arange(len(labels))
    axes.set_xticks(every, labels, rotation=90, fontsize=7 if many else 9)
    axes.set_yticks(every, labels, fontsize=7 if many else 9)
    axes.set_xlabel("answer")
    axes.set_ylabel("truth")
    axes.set_title(f"Confusion, {evaluation.rows:,} test rows (numbers are rows, colour is the share of the class)")
    for row, column in np.argwhere(counts > 0):
        axes.text(
            *(column, row, f"{counts[row, column]:.0f}"),
            ha="center",
            va="center",
            fontsize=5 if many else 8,
            color="white" if shares[row, column] > 0.5 else "black",
        )
    figure.colorbar(image, ax=axes, fraction=0.03, pad=0.01)
    figure.savefig(path, dpi=_DPI, bbox_inches="tight")


def draw_reliability(evaluation: Evaluation, path: Path) -> None:
    """Accuracy against confidence by bin; on the diagonal, confidence means what it says."""
    means, accuracies, counts = (np.array(values) for values in zip(*evaluation.reliability, strict=True))
    figure, axes = _figure(6, 5.4)
    axes.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1, label="perfect calibration")
    axes.scatter(means, accuracies, s=20 + 380 * counts / counts.max(), color=_BLUE, alpha=0.55)
    axes.plot(means, accuracies, color=_BLUE, linewidth=1, label="bins of test rows (area: rows)")
    axes.axvline(evaluation.review_threshold, color="#b3541e", linewidth=1, label="review threshold")
    axes.set(xlim=(0, 1.03), ylim=(0, 1.05), xlabel="confidence", ylabel="accuracy")
    axes.set_title(f"Reliability, expected calibration error {evaluation.ece:.3f}")
    axes.legend(loc="upper left", fontsize=9)
    figure.savefig(path, dpi=_DPI, bbox_inches="tight")


def _figure(width: float, height: float) -> tuple[Any, Any]:
    """A figure that belongs to no window system and to no global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _short(label: str) -> str:
    return label if len(label) <= MAX_LABEL_CHARS else label[: MAX_LABEL_CHARS - 1] + "…"
