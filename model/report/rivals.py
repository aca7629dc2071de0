"""Other models on the same rows: the champion, the baseline."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from model.report.bootstrap import Bootstrap, interval
from model.report.schema import Comparison
from model.report.tallies import accuracy, macro_f1, tally, weighted_f1


@dataclass(frozen=True)
class Rival:
    """What another model says of the test rows.

    Args:
        name: What the reader calls it.
        kind: Its role.
        said: Class index of each answer, in the new model's order; -1 for a category that the new model lacks.
        unseen: The rows that it did not learn from; None when that is all of them.
        rows_per_s: Its speed, measured beside the new model's.
        own_rows_per_s: The new model's in that measurement.
    """

    name: str
    kind: Literal["champion", "baseline", "other"]
    said: NDArray[np.int64]
    unseen: NDArray[np.bool_] | None = None
    rows_per_s: float | None = None
    own_rows_per_s: float | None = None


def compare(
    rival: Rival,
    said: NDArray[np.int64],
    truth: NDArray[np.int64],
    groups: NDArray[np.integer[Any]],
    *,
    classes: int,
    seed: int,
) -> Comparison | None:
    """The new model beside a rival, with the paired bootstrap's intervals of the differences.

    Both are scored on the same draw of rows each round, so that what makes a row hard for both cancels out.

    Args:
        rival: The other one.
        said: The new model's answers, as class indices.
        truth: The right ones.
        groups: Rows that the bootstrap draws together.
        classes: How many there are.
        seed: Of the bootstrap.

    Returns:
        The comparison, or None when the rival learned from every row.
    """
    chosen = np.ones(len(truth), np.bool_) if rival.unseen is None else rival.unseen
    if not chosen.any():
        return None
    bootstrap = Bootstrap(groups[chosen], seed=seed)
    own, other = (tally(truth[chosen], answers[chosen], classes) for answers in (said, rival.said))
    own_drawn, other_drawn = bootstrap.sums(own), bootstrap.sums(other)
    own_all, other_all = own.sum(axis=0), other.sum(axis=0)
    return Comparison(
        name=rival.name,
        kind=rival.kind,
        rows=int(chosen.sum()),
        accuracy=float(accuracy(other_all)),
        weighted_f1=float(weighted_f1(other_all)),
        macro_f1=float(macro_f1(other_all)),
        own_accuracy=float(accuracy(own_all)),
        own_weighted_f1=float(weighted_f1(own_all)),
        own_macro_f1=float(macro_f1(own_all)),
        accuracy_difference=interval(accuracy(own_drawn) - accuracy(other_drawn)),
        weighted_f1_difference=interval(weighted_f1(own_drawn) - weighted_f1(other_drawn)),
        rows_per_s=rival.rows_per_s,
        own_rows_per_s=rival.own_rows_per_s,
    )
