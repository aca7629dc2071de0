"""How right a model is by what people say of its answers, with intervals.

People judge mostly what the model is unsure of, so that the plain accuracy of verdicts is lower than that of all
answers. Where both the answers that need review and those that do not have enough verdicts, the two are weighed by
their shares among the newest answers (post-stratification: Cochran 1977, "Sampling Techniques", section 5A.9).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any, Final

import numpy as np

from model.report.bootstrap import Bootstrap, interval
from model.report.schema import Interval
from model.report.tallies import tally, weighted_f1
from workers.monitor.seen import Judged

MIN_VERDICTS: Final = 30
"""Fewer say nothing, of all answers or of a part of them."""

MIN_CLASS_VERDICTS: Final = 20

_CLASS: Final = "class "
_Z: Final = 1.959963984540054  # of the middle 95 % of a normal distribution


def wilson(hits: int, of: int) -> Interval:
    """The 95 % score interval of a share (Wilson 1927, "Probable inference, the law of succession").

    Args:
        hits: How many of them.
        of: How many there are, one at least.
    """
    share, z2 = hits / of, _Z**2
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z / (1 + z2 / of) * sqrt(share * (1 - share) / of + z2 / (4 * of**2))
    return Interval(low=max(0.0, middle - half), high=min(1.0, middle + half))


def scores(judged: Sequence[Judged], review_share: float | None) -> dict[str, Any]:
    """Accuracy, weighted F1 and corrections by class; without the figures that too few verdicts would give.

    Args:
        judged: Answers with verdicts.
        review_share: Part of the newest answers that needs review; None where there are none.
    """
    known = [one for one in judged if one.truth is not None]
    figures: dict[str, Any] = {"verdicts": len(known), "rejected": len(judged) - len(known)}
    figures["by_class"] = _by_class(known)
    if len(known) < MIN_VERDICTS:
        return figures
    right = sum(one.said == one.truth for one in known)
    figures |= {"accuracy": right / len(known), "accuracy_interval": _pair(wilson(right, len(known)))}
    figures |= _f1(known)
    if review_share is not None:
        figures |= _weighed(known, review_share)
    return figures


def causes(figures: dict[str, Any], accuracy_floor: float, f1_floor: float) -> dict[str, str]:
    """What is wrong beyond chance: the whole interval lies below the floor.

    Args:
        figures: Of `scores`.
        accuracy_floor: For all answers, and for those of a class.
        f1_floor: For the weighted F1.
    """
    found = {}
    name = "weighed_accuracy" if "weighed_accuracy" in figures else "accuracy"
    for figure, floor, what in ((name, accuracy_floor, "accuracy"), ("weighted_f1", f1_floor, "weighted F1")):
        if figure in figures and figures[f"{figure}_interval"][1] < floor:
            low, high = figures[f"{figure}_interval"]
            found[what] = (
                f"The {what} of {figures['verdicts']:,} verdicts is {figures[figure]:.3f} ({low:.3f} to {high:.3f}), "
                f"below {floor:g}."
            )
    for one in figures["by_class"]:
        if one["verdicts"] >= MIN_CLASS_VERDICTS and one["interval"][0] > 1 - accuracy_floor:
            found[f"{_CLASS}{one['code']}"] = (
                f"{one['corrected']} of {one['verdicts']} answers {one['code']!r} were corrected."
            )
    return found


def tells(figures: Mapping[str, Any], cause: str) -> bool:
    """Whether there are verdicts enough to say that a cause is there, or over.

    That of a class which nobody has judged at all, while others were, is over: it is not answered any more.
    """
    enough = bool(figures["verdicts"] >= MIN_VERDICTS)
    if not cause.startswith(_CLASS):
        return enough
    of = {f"{_CLASS}{one['code']}": one["verdicts"] for one in figures["by_class"]}.get(cause, 0)
    return bool(of >= MIN_CLASS_VERDICTS or (enough and not of))


def _by_class(known: Sequence[Judged]) -> list[dict[str, Any]]:
    """How often each answer was corrected, the most corrected one first."""
    verdicts = Counter(one.said for one in known)
    corrected = Counter(one.said for one in known if one.said != one.truth)
    lines: list[dict[str, Any]] = [
        {
            "code": code,
            "verdicts": of,
            "corrected": corrected[code],
            "rate": corrected[code] / of,
            "interval": _pair(wilson(corrected[code], of)),
        }
        for code, of in verdicts.items()
    ]
    return sorted(lines, key=lambda line: (-line["rate"], -line["verdicts"], line["code"]))


def _f1(known: Sequence[Judged]) -> dict[str, Any]:
    codes = {code: number for number, code in enumerate({one.said for one in known} | {one.truth for one in known})}
    truth, said = (
        np.array([codes[code] for code in side]) for side in zip(*((o.truth, o.said) for o in known), strict=True)
    )
    rows = tally(truth, said, len(codes))
    drawn = Bootstrap(np.arange(len(known)), seed=0).sums(rows)
    score = float(weighted_f1(np.asarray(rows.sum(axis=0))))
    return {"weighted_f1": score, "weighted_f1_interval": _pair(interval(weighted_f1(drawn)))}


def _weighed(known: Sequence[Judged], review_share: float) -> dict[str, Any]:
    """The accuracy of all answers; nothing where a part of them that there is has too few verdicts."""
    middle = variance = 0.0
    for needs_review, weight in ((True, review_share), (False, 1 - review_share)):
        part = [one.said == one.truth for one in known if one.needs_review is needs_review]
        if weight == 0:
            continue
        if len(part) < MIN_VERDICTS:
            return {}
        middle += weight * sum(part) / len(part)
        # With two more of each, as no part is without any doubt (Agresti and Coull 1998, "Approximate is better").
        doubt = (sum(part) + 2) / (len(part) + 4)
        variance += weight**2 * doubt * (1 - doubt) / (len(part) + 4)
    half = _Z * sqrt(variance)
    return {"weighed_accuracy": middle, "weighed_accuracy_interval": [max(0.0, middle - half), min(1.0, middle + half)]}


def _pair(found: Interval) -> list[float]:
    return [found.low, found.high]
