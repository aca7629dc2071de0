"""Answers to held-out rows: each row's from a stage that did not see it, with all that it has and with less."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from model.errors import DataInvalid
from model.held_out import Examples, Fold, held_out, subsets
from model.kinds import Kind
from model.rows import MODALITIES, Rows
from model.stages import FittedStage, LogProbabilities, Progress, Truth
from schemas.prediction import Modality

TEXTS: frozenset[Modality] = frozenset({"title", "description"})
EYE: frozenset[Modality] = frozenset({"image"})
ROWS = Rows(
    [f"tea {n}" if n % 3 else "" for n in range(12)],
    [f"green {n}" if n % 2 else "" for n in range(12)],
    [b"photo" if n > 3 else None for n in range(12)],
)
EXAMPLES = Examples(ROWS, np.arange(12) % 2, classes=2, seed=9)
FOLDS = [
    Fold(np.arange(4, 12), np.arange(4)),
    Fold(np.r_[0:4, 8:12], np.arange(4, 8)),
    Fold(np.arange(8), np.arange(8, 12)),
]


@dataclass
class Fitted:
    """A stage that says the same of all rows, and of none that it was fitted on."""

    name: str
    reads: frozenset[Modality]
    learned: Rows
    asked: list[Rows] = field(default_factory=list)

    def log_probabilities(self, rows: Rows) -> LogProbabilities:
        """Two classes."""
        assert not set(filter(None, rows.titles)) & set(self.learned.titles)
        assert not set(filter(None, rows.descriptions)) & set(self.learned.descriptions)
        self.asked.append(rows)
        answers: LogProbabilities = np.log(np.full((len(rows), 2), [0.7, 0.3])).astype(np.float32)
        return answers


class Fits:
    """A kind's fit that remembers what it made."""

    def __init__(self, name: str, reads: frozenset[Modality], *, fails: bool = False) -> None:
        self.name, self.reads = name, reads
        self.made: list[Fitted] = []
        self._fails = fails

    def __call__(self, rows: Rows, truth: Truth, classes: int, *, seed: int, progress: Progress) -> FittedStage:  # noqa: D102
        assert (len(rows), 2, 9) == (len(truth), classes, seed)
        if self._fails:
            raise DataInvalid("None of the photos can be decoded.")
        progress(0.5)
        self.made.append(Fitted(self.name, self.reads, rows))
        return self.made[-1]  # type: ignore[return-value] # it is never saved


def kind(fits: Fits, *, is_light: bool = True) -> Kind:
    """The kind of that fit."""
    return Kind(fits.name, fits.reads, fits, is_light)


def test_each_row_is_answered_by_the_fold_that_left_it_out() -> None:
    """With each set of the modalities that it has, and with no other; NaN where it lacks one."""
    text = Fits("text", TEXTS)
    held = held_out([kind(text)], EXAMPLES, FOLDS, lambda _: None)

    assert np.array_equal(ROWS.present, held.present)
    assert EXAMPLES.truth.tolist() == held.truth.tolist()
    assert subsets(TEXTS) == [shown for _, shown in held.answers]
    for (_, shown), answers in held.answers.items():
        has = ROWS.present[:, [MODALITIES.index(one) for one in shown]].all(axis=1)
        assert has.tolist() == (~np.isnan(answers[:, 0])).tolist()
        assert len(shown) < 2 or has.sum() == 4
    for stage in text.made:
        hidden = [rows.present.any(axis=0).tolist() for rows in stage.asked]
        assert [[True, False, False], [False, True, False], [True, True, False]] == hidden
    as_they_are = held.as_they_are(kind(text))
    assert ROWS.present[:, :2].any(axis=1).tolist() == (~np.isnan(as_they_are[:, 0])).tolist()


def test_a_heavy_kind_answers_the_first_fold_alone() -> None:
    """It is fitted once; what it was not asked about is told apart."""
    eye = Fits("image", EYE)
    folds = FOLDS[::-1]
    held = held_out([kind(Fits("text", TEXTS)), kind(eye, is_light=False)], EXAMPLES, folds, lambda _: None)

    assert 1 == len(eye.made)
    assert [True] * 4 + [False] * 8 == (~np.isnan(held.answers["image", ("image",)][:, 0])).tolist()
    assert 4 == held.asked_of_all


def test_a_kind_that_cannot_be_fitted_is_left_out_with_the_reason() -> None:
    """The others are asked all the same."""
    held = held_out([kind(Fits("text", TEXTS)), kind(Fits("image", EYE, fails=True))], EXAMPLES, FOLDS, lambda _: None)

    assert {"image": "None of the photos can be decoded."} == held.unfit
    assert np.isnan(held.answers["image", ("image",)]).all()
    assert 8 == (~np.isnan(held.answers["text", ("title",)][:, 0])).sum()


@pytest.mark.parametrize("fails", [False, True])
def test_the_progress_is_that_of_the_time(fails: bool) -> None:
    """It only grows, ends at 1, and a kind that takes long is most of it."""
    told: list[float] = []
    some = [kind(Fits("text", TEXTS)), kind(Fits("image", EYE, fails=fails), is_light=False)]
    held_out(some, EXAMPLES, FOLDS, told.append)

    assert sorted(told) == told
    assert 1.0 == told[-1]
    light = [part for part in told if part < 0.1]
    assert 2 == len(light)
    assert 0.5 < told[told.index(light[-1]) + (1 if fails else 2)] < 0.95
