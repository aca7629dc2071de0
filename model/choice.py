"""Which stages a model keeps, how their answers are weighed, and where it stops asking."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.bundle import StageFacts
from model.cascade import Answers, Route
from model.fusion import FEWEST_ROWS, NEVER, Pool, Weighing, fit_weighing, pooled, stop_threshold
from model.held_out import HeldOut, Indices, subsets
from model.kinds import Kind
from model.rows import MODALITIES
from model.stages import LogProbabilities
from schemas.prediction import Modality

STOP_LOSS: Final = 0.0005
"""Share of rows that may be wrong since a later stage was not asked."""


def choose(kinds: Sequence[Kind], held: HeldOut) -> tuple[list[Kind], list[StageFacts]]:
    """The kinds that earn their place, in their order: each further one has to make held-out rows likelier.

    A stage stays when of the rows that it can read both the mean log-likelihood and the number of right answers rise
    by more than one standard error: likelier rows alone may come from better weights for what was known before.
    """
    kept: list[Kind] = []
    tried: list[StageFacts] = []
    for kind in kinds:
        alone = held.as_they_are(kind)
        can = ~np.isnan(alone[:, 0])
        right = float((alone[can].argmax(axis=1) == held.truth[can]).mean()) if can.any() else 0.0
        keep, why = (
            _earns(kept, kind, held)
            if can.any()
            else (False, held.unfit.get(kind.name, "no held-out row has what it reads"))
        )
        tried.append(StageFacts(name=kind.name, kept=keep, why=why, accuracy=right))
        if keep:
            kept.append(kind)
    return kept, tried


def _earns(kept: Sequence[Kind], kind: Kind, held: HeldOut) -> tuple[bool, str]:
    """Whether a kind is worth keeping beside those kept, and why."""
    gains, changes, before, blind = [], [], 0, 0
    for shown in subsets(frozenset(MODALITIES)):
        answers = [held.of(one, shown) for one in (*kept, kind) if one.reads & set(shown)]
        if not kind.reads & set(shown):
            continue
        here = _exactly(held, shown) & _answered(answers)
        if not here.any():
            continue
        truth, rows = held.truth[here], np.arange(int(here.sum()))
        some = [answer[here] for answer in answers]
        new = pooled(some, fit_weighing(some, truth))
        if len(some) == 1:
            blind += len(truth)
            continue
        old = pooled(some[:-1], fit_weighing(some[:-1], truth))
        gains.append(np.log(new[rows, truth] + 1e-12) - np.log(old[rows, truth] + 1e-12))
        was, becomes = old.argmax(1) == truth, new.argmax(1) == truth
        changes.append(becomes.astype(np.int64) - was)
        before += int(was.sum())
    if not gains:
        return blind > 0, f"the only one that reads what {blind:,} held-out rows have"
    gain = np.concatenate(gains)
    error = float(gain.std() / np.sqrt(len(gain)))
    change = np.concatenate(changes)
    more, chance = int(change.sum()), float(np.sqrt(np.abs(change).sum()))
    mean, figures = float(gain.mean()), f"log-likelihood {gain.mean():+.4f} ± {error:.4f}, "
    figures += f"right {before:,} → {before + more:,} (± {chance:.0f}) of {len(gain):,} held-out rows"
    return blind > 0 or (mean > error and more > chance), figures


def pools_of(kinds: Sequence[Kind], held: HeldOut) -> list[Pool]:
    """Weights for every set of modalities and every point to stop at, and the confidence that is enough there.

    A set that hardly any held-out row has is weighed like the one nearest to it: a catalogue of titles alone says
    nothing of titles with descriptions but that the same stages answer, and how far these may be believed.
    """
    sets = subsets(frozenset(MODALITIES))
    fitted = [pool for shown in sets for pool in _fitted(kinds, held, shown)]
    known = {(pool.modalities, pool.stages): pool for pool in fitted}
    found: list[Pool] = []
    for shown in sets:
        asked = _asked(kinds, shown)
        for count in range(1, len(asked) + 1):
            fits = known.get((shown, tuple(kind.name for kind in asked[:count])))
            found.append(fits or _borrowed(kinds, held, fitted, shown, count))
    return found


def _asked(kinds: Sequence[Kind], shown: Sequence[Modality]) -> list[Kind]:
    return [kind for kind in kinds if kind.reads & set(shown)]


def _fitted(kinds: Sequence[Kind], held: HeldOut, shown: tuple[Modality, ...]) -> list[Pool]:
    """The pools of a set of modalities; none where too few rows have it."""
    asked = _asked(kinds, shown)
    answers = [held.of(kind, shown) for kind in asked]
    here = _answered(answers) if answers else np.zeros(len(held.truth), np.bool_)
    some, truth = [answer[here] for answer in answers], held.truth[here]
    if len(truth) < FEWEST_ROWS:
        return []
    fits = [fit_weighing(some[:count], truth) for count in range(1, len(asked) + 1)]
    shares = [pooled(some[: len(fit.weights)], fit) for fit in fits]
    return [
        Pool(
            modalities=shown,
            stages=tuple(kind.name for kind in asked[: len(fit.weights)]),
            weights=fit.weights,
            lapse=fit.lapse,
            stop_at=_stop_at(share, shares[-1], truth) if share is not shares[-1] else 0.0,
        )
        for fit, share in zip(fits, shares, strict=True)
    ]


def _borrowed(
    kinds: Sequence[Kind], held: HeldOut, fitted: Sequence[Pool], shown: tuple[Modality, ...], count: int
) -> Pool:
    """The pool of the nearest set of which the same stages were asked.

    Where there is none, the stages never answered together: then each counts alike, by its own temperature.
    """
    asked = _asked(kinds, shown)
    stages = tuple(kind.name for kind in asked[:count])
    read = {modality for kind in asked[:count] for modality in kind.reads}

    def distance(pool: Pool) -> tuple[int, int]:
        """What these stages see differently comes before what they do not see at all."""
        other = set(pool.modalities) ^ set(shown)
        return len(other & read), len(other)

    near = min((pool for pool in fitted if pool.stages == stages), key=distance, default=None)
    stop_at = NEVER if count < len(asked) else 0.0
    if near is None:
        alone = [_alone(kind, held) for kind in asked[:count]]
        weights = tuple(fit.weights[0] / count for fit in alone)
        lapse = min(fit.lapse for fit in alone)  # together they lapse no more often than the best of them
        return Pool(modalities=shown, stages=stages, weights=weights, lapse=lapse, stop_at=stop_at)
    alike = _asked(kinds, near.modalities) == asked  # else nobody knows what the later ones would put right
    stop_at = near.stop_at if alike else stop_at
    return Pool(modalities=shown, stages=stages, weights=near.weights, lapse=near.lapse, stop_at=stop_at)


def _alone(kind: Kind, held: HeldOut) -> Weighing:
    """How a stage is weighed that answers alone, over all rows that it can read."""
    answers = held.as_they_are(kind)
    can = ~np.isnan(answers[:, 0])
    return fit_weighing([answers[can]], held.truth[can])


def _stop_at(share: NDArray[np.float64], later: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    return stop_threshold(share.max(1), share.argmax(1) == truth, later.argmax(1) == truth, STOP_LOSS)


def simulate(route: Route, kinds: Sequence[Kind], held: HeldOut) -> tuple[Answers, Indices]:
    """What stages on this route would have answered to held-out rows, and which of them, by their place among these.

    Of the rows that all of them were asked about: a kind that is not light is fitted once.
    """
    answers = [held.as_they_are(kind) for kind in kinds]
    silent = np.zeros(len(held.truth), np.bool_)
    for kind, answer in zip(kinds, answers, strict=True):
        if "image" not in kind.reads:
            silent |= np.isnan(answer[:, 0])
    usable = ~(silent & held.present[:, :2].any(axis=1))
    if not all(kind.is_light for kind in kinds):
        usable[len(usable) if held.asked_of_all is None else held.asked_of_all :] = False
    asked_all = np.flatnonzero(usable)
    some = [answer[asked_all] for answer in answers]
    found = route.walk(held.present[asked_all], lambda number, asked: some[number][asked])
    return found, asked_all


def with_shares(tried: Sequence[StageFacts], kinds: Sequence[Kind], answers: Answers) -> list[StageFacts]:
    """The same facts, with the part of the rows that reaches each stage kept."""
    reached = {}
    for number, kind in enumerate(kinds):
        reads = [one in kind.reads for one in MODALITIES]
        asked = (answers.stage >= number) & answers.used[:, reads].any(axis=1)
        reached[kind.name] = float(asked.mean()) if len(asked) else 0.0
    return [one.model_copy(update={"share": reached.get(one.name, 0.0)}) for one in tried]


def _exactly(held: HeldOut, shown: Sequence[Modality]) -> NDArray[np.bool_]:
    wanted = np.array([one in shown for one in MODALITIES])
    found: NDArray[np.bool_] = np.all(held.present == wanted, axis=1)
    return found


def _answered(answers: Sequence[LogProbabilities]) -> NDArray[np.bool_]:
    missing: NDArray[np.bool_] = np.any([np.isnan(answer[:, 0]) for answer in answers], axis=0)
    return ~missing
