"""From a model's answers to the report of its training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.bundle import Manifest
from model.evaluation import Evaluation
from model.report.bootstrap import Bootstrap, interval
from model.report.mistakes import confused_pairs, sure_mistakes
from model.report.rivals import Rival, compare
from model.report.schema import CoveragePoint, DataCard, Setting, StageReport, TrainingReport
from model.report.slices import Grounds, rare_rows, slices
from model.report.tallies import accuracy, tally, weighted_f1
from model.rows import Rows

MAX_CURVE_POINTS: Final = 200


@dataclass(frozen=True)
class HeldOut:
    """The test rows and what the model makes of them.

    Args:
        products: The rows.
        probabilities: [rows, classes], as served.
        truth: Class index of each row.
        keys: The same for rows with the same title, which the bootstrap draws together; None when all differ.
        languages: ISO 639-1 code of each row, '' where unknown; empty when nobody asked.
        decided_by: Last stage that each row was asked of; empty when nobody asked.
        private: Rows that are not to be quoted; None: all may be.
    """

    products: Rows
    probabilities: NDArray[np.floating[Any]]
    truth: NDArray[np.int64]
    keys: NDArray[np.uint64] | None = None
    languages: Sequence[str] = ()
    decided_by: Sequence[str] = ()
    private: NDArray[np.bool_] | None = None


def build_report(  # noqa: PLR0913 - one argument an optional part
    manifest: Manifest,
    evaluation: Evaluation,
    held_out: HeldOut,
    *,
    data: DataCard | None = None,
    stages: Sequence[StageReport] = (),
    rivals: Sequence[Rival] = (),
    settings: Mapping[str, Setting] | None = None,
    command: str = "",
) -> TrainingReport:
    """Put together all that is known of a training; a part that is not given is left out of the page.

    Args:
        manifest: Of the bundle, sealed or about to be.
        evaluation: The scores on the held-out rows.
        held_out: These rows.
        data: What the model was trained on.
        stages: The stages that were tried, in the cascade's order.
        rivals: Other models' answers to the same rows.
        settings: What the training was told.
        command: What repeats it.
    """
    seed, truth, classes = manifest.seed, held_out.truth, len(manifest.categories)
    said = held_out.probabilities.argmax(axis=1)
    confidence, right = held_out.probabilities.max(axis=1).astype(np.float64), said == truth
    groups = np.arange(len(truth)) if held_out.keys is None else held_out.keys
    drawn = Bootstrap(groups, seed=seed).sums(tally(truth, said, classes))
    grounds = Grounds(held_out.products, rare_rows(truth, manifest.prior), held_out.languages, held_out.decided_by)
    compared = (compare(rival, said, truth, groups, classes=classes, seed=seed) for rival in rivals)
    return TrainingReport(
        name=manifest.name,
        version=manifest.version,
        created_at=manifest.created_at,
        seed=seed,
        auto_accept_precision=manifest.auto_accept_precision,
        evaluation=evaluation,
        accuracy_interval=interval(accuracy(drawn)),
        weighted_f1_interval=interval(weighted_f1(drawn)),
        coverage=coverage_curve(confidence, right),
        confused=confused_pairs(evaluation),
        slices=slices(grounds, confidence, right, groups, seed=seed),
        mistakes=sure_mistakes(
            *(held_out.products, held_out.probabilities, truth),
            [score.code for score in evaluation.classes],
            held_out.private,
        ),
        data=data,
        stages=list(stages),
        comparisons=[comparison for comparison in compared if comparison is not None],
        settings=dict(settings or {}),
        libraries=manifest.libraries,
        command=command,
    )


def coverage_curve(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> list[CoveragePoint]:
    """Coverage and precision at falling thresholds, ``MAX_CURVE_POINTS`` at most, evenly spread over the rows.

    Args:
        confidence: Of each answer.
        right: Whether it is.
    """
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    precision = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    ends = np.flatnonzero(np.append(np.diff(falling) != 0, True))  # equal confidences fall on one side together
    chosen = ends[np.unique(np.linspace(0, len(ends) - 1, min(MAX_CURVE_POINTS, len(ends))).astype(np.int64))]
    return [
        CoveragePoint(
            threshold=float(falling[end]), coverage=(int(end) + 1) / len(order), precision=float(precision[end])
        )
        for end in chosen
    ]
