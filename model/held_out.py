"""What stages say of rows that they did not learn from: all that weights, thresholds and choices are made of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DataInvalid
from model.kinds import Kind
from model.rows import MODALITIES, Rows
from model.stages import FittedStage, LogProbabilities, Progress, Stage, Truth
from schemas.prediction import Modality

Indices = NDArray[np.int64]

_HEAVY: Final = 20.0
"""How much longer a kind takes that is not light, for the progress: five to some hundred times, by rows and kind."""


@dataclass(frozen=True)
class Examples:
    """What there is to learn from.

    Args:
        rows: Products.
        truth: Class of each; below 0 where it is not known.
        classes: How many there are.
        seed: Of every fit.
    """

    rows: Rows
    truth: Truth
    classes: int
    seed: int

    def fit(self, kind: Kind, chosen: Indices, progress: Progress) -> FittedStage:
        """A stage of this kind, fitted on some of the rows."""
        rows, truth = self.rows.take(chosen), self.truth[chosen]
        return kind.fit(rows, truth, self.classes, seed=self.seed, progress=progress)


@dataclass(frozen=True)
class Fold:
    """Row numbers to fit on, and those whose answers are then held-out ones."""

    fit: Indices
    held: Indices


@dataclass(frozen=True)
class HeldOut:
    """Answers to held-out rows, with all modalities that a row has and with each smaller set of them.

    Args:
        present: Which modalities each row has, [rows, title | description | image].
        truth: Its class.
        rows: Its number among all rows.
        answers: By stage and the modalities it was shown, [rows, classes]; NaN where a row lacks one of them, or the
            stage could not answer.
        unfit: By stage, why it could not be fitted.
        asked_of_all: How many of the first rows kinds were asked about that are not light; None: all rows.
    """

    present: NDArray[np.bool_]
    truth: Truth
    rows: Indices
    answers: dict[tuple[str, tuple[Modality, ...]], LogProbabilities]
    unfit: dict[str, str] = field(default_factory=dict)
    asked_of_all: int | None = None

    def of(self, kind: Kind, modalities: Sequence[Modality]) -> LogProbabilities:
        """A stage's answers to rows shown with just these modalities."""
        return self.answers[kind.name, tuple(one for one in modalities if one in kind.reads)]

    def as_they_are(self, kind: Kind) -> LogProbabilities:
        """A stage's answers to the rows with all that they have."""
        found = np.full_like(next(answer for (name, _), answer in self.answers.items() if name == kind.name), np.nan)
        for shown in subsets(kind.reads):  # larger sets come later
            answer = self.answers[kind.name, shown]
            has = ~np.isnan(answer[:, 0])
            found[has] = answer[has]
        return found


def subsets(modalities: frozenset[Modality]) -> list[tuple[Modality, ...]]:
    """The non-empty sets of modalities, small ones first, each in the order of the product's fields."""
    own = [one for one in MODALITIES if one in modalities]
    return list(chain.from_iterable(combinations(own, size) for size in range(1, len(own) + 1)))


def held_out(kinds: Sequence[Kind], examples: Examples, folds: Sequence[Fold], progress: Progress) -> HeldOut:
    """Fit each kind on each fold, and ask it about the rows held out.

    Args:
        kinds: What to fit.
        examples: All rows.
        folds: Of row numbers; those held out are in at most one fold. Kinds that are not light are fitted on the first
            alone: they answer to its rows, and to no others.
        progress: Told how far it is.
    """
    every = np.concatenate([fold.held for fold in folds])
    answers = {
        (kind.name, shown): np.full((len(every), examples.classes), np.nan, np.float32)
        for kind in kinds
        for shown in subsets(kind.reads)
    }
    unfit: dict[str, str] = {}
    total = sum(len(folds) if kind.is_light else _HEAVY for kind in kinds)
    start, done = 0, 0.0
    for number, fold in enumerate(folds):
        held = examples.rows.take(fold.held)
        for kind in kinds:
            if number and not kind.is_light:
                continue
            cost = 1.0 if kind.is_light else _HEAVY

            def part_of(part: float, done: float = done, cost: float = cost) -> None:
                progress((done + part * cost) / total)

            try:
                stage = examples.fit(kind, fold.fit, part_of)
            except DataInvalid as error:  # no photo that can be decoded, say: no reason to learn nothing at all
                unfit[kind.name] = error.message
            else:
                for shown in subsets(kind.reads):
                    _ask(stage, held, shown, answers[kind.name, shown][start : start + len(held)])
            done += cost
            progress(done / total)
        start += len(held)
    present, truth = examples.rows.take(every).present, examples.truth[every]
    return HeldOut(present, truth, every, answers, unfit, asked_of_all=len(folds[0].held))


def _ask(stage: Stage, rows: Rows, shown: Sequence[Modality], into: LogProbabilities) -> None:
    has = rows.present[:, [MODALITIES.index(one) for one in shown]].all(axis=1)
    chosen = np.flatnonzero(has)
    some = rows.take(chosen)
    for modality in MODALITIES:
        if modality not in shown:
            some = some.without(modality)
    if len(chosen):
        into[chosen] = stage.log_probabilities(some)
