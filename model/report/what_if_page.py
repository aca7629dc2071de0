"""What would change with another model, as people read it: a page that needs nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from model.report.charts import Scale
from model.report.page import render
from model.what_if import BINS, WhatIfReport

_FLOWS: Final = 40
_CATEGORIES: Final = 60
_LEFT, _TOP, _WIDTH, _HEIGHT = 66.0, 14.0, 380.0, 200.0


@dataclass(frozen=True)
class Histogram:
    """Products by confidence, before and after, as two outlines on one pair of axes."""

    x: Scale
    y: Scale
    before: str
    after: str
    most: int


def what_if_page(report: WhatIfReport, labels: Mapping[str, str], replay_id: str) -> str:
    """The page.

    Args:
        report: The figures.
        labels: Of the categories, by code.
        replay_id: Names the replay.
    """
    return render(
        "what_if.html",
        report=report,
        replay_id=replay_id,
        label=lambda code: labels.get(code, code),
        flows=report.flows[:_FLOWS],
        left_out=max(0, len(report.flows) - _FLOWS),
        largest=max((flow.products for flow in report.flows), default=1),
        categories=[one for one in report.categories if one.gained or one.lost][:_CATEGORIES],
        histogram=histogram(report),
    )


def histogram(report: WhatIfReport) -> Histogram:
    """Where the outlines of the confidences lie."""
    most = max(max(pair) for pair in report.confidence) or 1
    x = Scale(0.0, 1.0, _LEFT, _LEFT + _WIDTH)
    y = Scale(0.0, 1.0, _TOP + _HEIGHT, _TOP)
    before, after = ([pair[side] / most for pair in report.confidence] for side in (0, 1))
    return Histogram(x, y, _outline(x, y, before), _outline(x, y, after), most)


def _outline(x: Scale, y: Scale, shares: list[float]) -> str:
    """The steps of a histogram as a polyline's points."""
    points = [(x(0.0), y(0.0))]
    for number, share in enumerate(shares):
        points += [(x(number / BINS), y(share)), (x((number + 1) / BINS), y(share))]
    points.append((x(1.0), y(0.0)))
    return " ".join(f"{across},{up}" for across, up in points)
