"""What a model in the shadow has shown beside the champion: how often they agree, how sure they are, who is right."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from pydantic import BaseModel

from model.report.schema import Interval

LEVEL: Final = 0.05
"""A chance this small that a model no better than the champion is taken for better, over all looks together."""

_Z: Final = 1.959963984540054  # of the middle 95 % of a normal distribution


@dataclass(frozen=True, slots=True)
class Pair:
    """What both models said of one product.

    Args:
        champion: Code of the champion's category.
        challenger: The other's.
        sure: The champion's confidence.
        challenger_sure: The other's.
        truth: The code that a person gave it; None where nobody has.
        judged_at: When.
    """

    champion: str
    challenger: str
    sure: float
    challenger_sure: float
    truth: str | None = None
    judged_at: datetime | None = None


class Judged(BaseModel):
    """The products among them whose category a person has given. Accuracies are shares of them.

    Args:
        champion_only: Products on which the champion is right and the challenger wrong.
        challenger_only: The other way round.
        p: Of McNemar's exact test, that the two are equally often right.
    """

    products: int
    champion_accuracy: float
    champion_interval: Interval
    challenger_accuracy: float
    challenger_interval: Interval
    champion_only: int
    challenger_only: int
    p: float


class ShadowFigures(BaseModel):
    """The comparison; the shift is the challenger's confidence less the champion's, on average."""

    products: int
    agreement: float
    agreement_interval: Interval
    champion_confidence: float
    challenger_confidence: float
    confidence_shift: float
    shift_interval: Interval
    judged: Judged | None = None


class ShadowVerdict(BaseModel):
    """Whether a model in the shadow has shown that it is better; ``why`` says so in a sentence with the figures."""

    better: bool
    why: str
    figures: Judged | None = None


def figures_of(pairs: Sequence[Pair]) -> ShadowFigures | None:
    """The comparison on these products; None where there are none.

    The interval of agreement is Wilson's (1927); that of the shift is the normal approximation of a paired mean.
    """
    if not pairs:
        return None
    count = len(pairs)
    agreed = sum(pair.champion == pair.challenger for pair in pairs)
    sure = np.array([(pair.sure, pair.challenger_sure) for pair in pairs])
    shifts = sure[:, 1] - sure[:, 0]
    shift, half = float(shifts.mean()), _Z * float(shifts.std(ddof=min(1, count - 1))) / count**0.5
    return ShadowFigures(
        products=count,
        agreement=agreed / count,
        agreement_interval=_wilson(agreed, count),
        champion_confidence=float(sure[:, 0].mean()),
        challenger_confidence=float(sure[:, 1].mean()),
        confidence_shift=shift,
        shift_interval=Interval(low=shift - half, high=shift + half),
        judged=judged_of(pairs),
    )


def judged_of(pairs: Iterable[Pair]) -> Judged | None:
    """Who is right on the products that people have judged; None where there are none.

    McNemar's test (1947, "Note on the sampling error of the difference between correlated proportions"), in its exact
    form: of the products on which just one of them is right, each has half if they are equally good.
    """
    from scipy.stats import binomtest

    known = [(pair.champion == pair.truth, pair.challenger == pair.truth) for pair in pairs if pair.truth is not None]
    if not known:
        return None
    count, own, other = len(known), sum(one for one, _ in known), sum(one for _, one in known)
    first, second = known.count((True, False)), known.count((False, True))
    return Judged(
        products=count,
        champion_accuracy=own / count,
        champion_interval=_wilson(own, count),
        challenger_accuracy=other / count,
        challenger_interval=_wilson(other, count),
        champion_only=first,
        challenger_only=second,
        p=float(binomtest(second, first + second).pvalue) if first + second else 1.0,
    )


def verdict_of(pairs: Iterable[Pair], after: int) -> ShadowVerdict:
    """Whether the challenger is better by what people said.

    Who looks after every verdict finds a difference by chance some day. So the judgement is made on the first
    ``after`` verdicts, on twice as many, four times and so on, and whenever it is asked for in between it is that of
    the last of these; each has half the level of the one before, which keeps their sum below `LEVEL` (the union bound;
    group sequential tests of Lan and DeMets 1983, "Discrete sequential boundaries", spend it more finely).

    Args:
        pairs: What both said, in any order.
        after: How many verdicts it takes at least, one or more.
    """
    known = sorted((pair for pair in pairs if pair.truth is not None and pair.judged_at is not None), key=_judged_at)
    if len(known) < after:
        return ShadowVerdict(better=False, why=f"{len(known):,} of the {after:,} verdicts that it takes.")
    look = (len(known) // after).bit_length()
    figures = judged_of(known[: after << (look - 1)])
    if figures is None:
        return ShadowVerdict(better=False, why="No verdict.")
    level = LEVEL / (1 << look)
    better = figures.challenger_only > figures.champion_only and figures.p < level
    why = (
        f"Of {figures.products:,} products with verdicts it alone is right on {figures.challenger_only:,}, and the "
        f"champion alone on {figures.champion_only:,}: p = {figures.p:.2g}, {'below' if better else 'not below'} "
        f"{level:.2g} in its favour."
    )
    return ShadowVerdict(better=better, why=why, figures=figures)


def _judged_at(pair: Pair) -> float:
    return pair.judged_at.timestamp() if pair.judged_at else 0.0


def _wilson(hits: int, count: int) -> Interval:
    from scipy.stats import binomtest

    found = binomtest(hits, count).proportion_ci(method="wilson")
    return Interval(low=float(found.low), high=float(found.high))
