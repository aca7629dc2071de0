"""What would change if another model had answered: figures over products that both have answered."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from pydantic import BaseModel

from model.report.schema import Interval
from model.shadow import Judged, Pair, figures_of

BINS: Final = 20
"""Of confidence, from 0 to 1, each of the same width."""

_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Compared:
    """What two models said of one product.

    Args:
        event_id: Its event.
        product_id: The product.
        title: Its title, if it has one.
        before: Code of the category that it has.
        after: Code of that which the other model gives.
        sure: How sure the first was.
        after_sure: How sure the other is.
        truth: The code that a person gave it; None where nobody has.
    """

    event_id: str
    product_id: str
    title: str | None
    before: str
    after: str
    sure: float
    after_sure: float
    truth: str | None = None

    @property
    def stake(self) -> float:
        """What a person's word on it is worth: both models are at least this sure, and one of them is wrong."""
        return min(self.sure, self.after_sure)


class Flow(BaseModel):
    """Products that would go from one category to another; ``right`` of the judged ones would then be right."""

    before: str
    after: str
    products: int
    judged: int
    right: int
    wrong: int


class CategoryChange(BaseModel):
    """A category before and after. Shares right are of the products that people say are of it; None: nobody has."""

    code: str
    before: int
    after: int
    gained: int
    lost: int
    judged: int
    recall_before: float | None
    recall_after: float | None


class WhatIfReport(BaseModel):
    """What would change.

    Args:
        first: What answered, in words: a version, or several.
        second: The other model's version.
        products: That both answered.
        agreement: Share of them that would stay where they are, with its interval (Wilson 1927).
        sure: Mean confidence before.
        after_sure: And after.
        judged: Who is right where people have said so.
        flows: From category to category, the largest first.
        categories: Before and after, the most changed first.
        confidence: Products by confidence, `BINS` of them, before and after.
        disagreements: The most valuable ones for a person to judge, first those that nobody has.
    """

    first: str
    second: str
    products: int
    agreement: float
    agreement_interval: Interval
    sure: float
    after_sure: float
    judged: Judged | None
    flows: list[Flow]
    categories: list[CategoryChange]
    confidence: list[tuple[int, int]]
    disagreements: list[Compared]


def report_of(first: str, second: str, compared: Sequence[Compared]) -> WhatIfReport | None:
    """The comparison; None where there is no product that both answered."""
    figures = figures_of([Pair(one.before, one.after, one.sure, one.after_sure, one.truth) for one in compared])
    if figures is None:
        return None
    return WhatIfReport(
        first=first,
        second=second,
        products=figures.products,
        agreement=figures.agreement,
        agreement_interval=figures.agreement_interval,
        sure=figures.champion_confidence,
        after_sure=figures.challenger_confidence,
        judged=figures.judged,
        flows=_flows(compared),
        categories=_categories(compared),
        confidence=_confidence(compared),
        disagreements=_disagreements(compared),
    )


def _flows(compared: Sequence[Compared]) -> list[Flow]:
    by_way: dict[tuple[str, str], list[Compared]] = defaultdict(list)
    for one in compared:
        if one.before != one.after:
            by_way[one.before, one.after].append(one)
    flows = [
        Flow(
            before=before,
            after=after,
            products=len(some),
            judged=sum(one.truth is not None for one in some),
            right=sum(one.truth == after for one in some),
            wrong=sum(one.truth == before for one in some),
        )
        for (before, after), some in by_way.items()
    ]
    return sorted(flows, key=lambda flow: (-flow.products, flow.before, flow.after))


def _categories(compared: Sequence[Compared]) -> list[CategoryChange]:
    before, after = Counter(one.before for one in compared), Counter(one.after for one in compared)
    gained = Counter(one.after for one in compared if one.before != one.after)
    lost = Counter(one.before for one in compared if one.before != one.after)
    judged = Counter(one.truth for one in compared if one.truth is not None)
    right = Counter(one.truth for one in compared if one.truth == one.before)
    right_after = Counter(one.truth for one in compared if one.truth == one.after)
    changes = [
        CategoryChange(
            code=code,
            before=before[code],
            after=after[code],
            gained=gained[code],
            lost=lost[code],
            judged=judged[code],
            recall_before=right[code] / judged[code] if judged[code] else None,
            recall_after=right_after[code] / judged[code] if judged[code] else None,
        )
        for code in before.keys() | after.keys()
    ]
    return sorted(changes, key=lambda change: (-(change.gained + change.lost), change.code))


def _confidence(compared: Sequence[Compared]) -> list[tuple[int, int]]:
    columns = [[one.sure for one in compared], [one.after_sure for one in compared]]
    first, second = (np.histogram(column, BINS, (0, 1))[0].tolist() for column in columns)
    return list(zip(first, second, strict=True))


def _disagreements(compared: Sequence[Compared]) -> list[Compared]:
    differing = [one for one in compared if one.before != one.after]
    return sorted(differing, key=lambda one: (one.truth is not None, -one.stake, one.event_id))[:_SHOWN]
