"""Where the marks of the report's pictures lie; the templates draw them as SVG, in the page's own colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, sqrt
from typing import Final

import numpy as np

from model.evaluation import Evaluation
from model.report.schema import Slice, TrainingReport

MAX_MATRIX_CLASSES: Final = 120
"""Beyond it no screen shows a confusion matrix; the list of pairs and the JSON remain."""

_LEFT, _TOP, _WIDTH, _HEIGHT = 66.0, 14.0, 380.0, 280.0
_MAX_LABEL_CHARS = 29
_LABEL_PX = 214


@dataclass(frozen=True)
class Scale:
    """From a range of figures to a range of pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, figure: float) -> float:
        """The pixel of a figure; one outside the range is put on its edge."""
        part = (min(max(figure, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + part * (self.end - self.start), 2)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Six pixels with the shares they stand for."""
        figures = np.linspace(self.low, self.high, 6).tolist()
        digits = 0 if all(abs(100 * figure - round(100 * figure)) < 1e-6 for figure in figures) else 1
        return [(self(figure), f"{figure:.{digits}%}") for figure in figures]


@dataclass(frozen=True)
class Dot:
    """A mark: where, how big, and what it says when one asks."""

    x: float
    y: float
    radius: float
    text: str


@dataclass(frozen=True)
class Plot:
    """A picture with two axes. ``line`` is a polyline's points; ``across`` and ``down`` are lines, or None."""

    x: Scale
    y: Scale
    x_label: str
    y_label: str
    line: str
    dots: list[Dot]
    across: float | None = None
    down: float | None = None
    diagonal: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell of the confusion matrix that holds rows."""

    x: int
    y: int
    right: bool
    opacity: float
    count: str
    text: str


@dataclass(frozen=True)
class Matrix:
    """The confusion matrix: sides and cells in pixels, true classes down, answers across."""

    side: int
    left: int
    labels: list[tuple[int, str, str]]
    cells: list[Cell]
    counted: bool

    @property
    def width(self) -> int:
        """Pixels from the labels to the last column."""
        return self.left + self.side * len(self.labels) + 4

    @property
    def height(self) -> int:
        """Pixels from the numbers to the last row."""
        return self.side * (len(self.labels) + 1) + 4


def reliability_plot(report: TrainingReport) -> Plot:
    """Accuracy against confidence by bin; on the diagonal, confidence means what it says."""
    x, y = _scales(0.0, 0.0)
    most = max(count for _, _, count in report.evaluation.reliability)
    dots = [
        Dot(
            *(x(mean), y(accuracy), round(3 + 11 * sqrt(count / most), 1)),
            f"{count:,} rows, confidence {mean:.1%} on average, {accuracy:.1%} right",
        )
        for mean, accuracy, count in report.evaluation.reliability
    ]
    threshold = report.evaluation.review_threshold
    return Plot(
        *(x, y, "confidence", "right answers", _line(dots), dots),
        down=x(threshold),
        diagonal=True,
    )


def coverage_plot(report: TrainingReport) -> Plot:
    """How many of the answers without review are right, by how many need none."""
    lowest = min(*(point.precision for point in report.coverage), report.auto_accept_precision)
    x, y = _scales(0.0, floor(lowest * 20 - 0.2) / 20)
    curve = [Dot(x(point.coverage), y(point.precision), 0, "") for point in report.coverage]
    scores = report.evaluation
    marked = Dot(
        *(x(scores.accepted_share), y(scores.accepted_precision), 6),
        f"from confidence {scores.review_threshold:.3f}: {scores.accepted_share:.1%} need no review, "
        f"{scores.accepted_precision:.1%} of these are right",
    )
    return Plot(
        *(x, y, "products without review", "right among them", _line(curve)),
        dots=[marked] if scores.accepted_share else [],
        across=y(report.auto_accept_precision),
    )


def matrix(evaluation: Evaluation) -> Matrix | None:
    """The confusion matrix, categories of one theme side by side; None where there are too many to draw."""
    classes = evaluation.classes
    if len(classes) > MAX_MATRIX_CLASSES:
        return None
    order = matrix_order(evaluation)
    side = 36 if len(order) <= 12 else 24 if len(order) <= 30 else 14
    shares = np.array(evaluation.confusion)[np.ix_(order, order)] / np.maximum([[classes[i].rows] for i in order], 1)
    cells = [
        Cell(
            *(_LABEL_PX + side * int(said), side * (int(truth) + 1), bool(truth == said)),
            opacity=round(0.15 + 0.85 * float(shares[truth, said]), 2),
            count=str(evaluation.confusion[order[truth]][order[said]]),
            text=f"{classes[order[truth]].label} → {classes[order[said]].label}: "
            f"{evaluation.confusion[order[truth]][order[said]]} of {classes[order[truth]].rows}",
        )
        for truth, said in np.argwhere(shares)
    ]
    labels = [(number + 1, _short(classes[index].label), classes[index].label) for number, index in enumerate(order)]
    return Matrix(side, _LABEL_PX, labels, cells, counted=side >= 24)


def matrix_order(evaluation: Evaluation) -> list[int]:
    """Class indices by theme, and in the taxonomy's order within one."""
    return sorted(range(len(evaluation.classes)), key=lambda index: (evaluation.classes[index].theme or "", index))


def slice_scale(slices: Sequence[Slice]) -> Scale:
    """One scale of accuracy for all slices, in the pixels of a small picture."""
    lows = [part.accuracy if part.interval is None else part.interval.low for part in slices]
    return Scale(min(floor(min(lows) * 10) / 10, 0.9), 1.0, 6, 194)


def _scales(low_x: float, low_y: float) -> tuple[Scale, Scale]:
    return Scale(low_x, 1.0, _LEFT, _LEFT + _WIDTH), Scale(low_y, 1.0, _TOP + _HEIGHT, _TOP)


def _line(dots: Sequence[Dot]) -> str:
    return " ".join(f"{dot.x},{dot.y}" for dot in dots)


def _short(label: str) -> str:
    return label if len(label) <= _MAX_LABEL_CHARS else label[: _MAX_LABEL_CHARS - 1] + "…"
