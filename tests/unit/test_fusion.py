"""One answer out of several, with weights that held-out rows ask for."""

import numpy as np
import pytest
from numpy.typing import NDArray

from model.fusion import Weighing, fit_weighing, pooled, softmax, stop_threshold
from model.stages import LogProbabilities


def drawn(margins: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """A class for each row, by its probabilities."""
    dice = np.random.default_rng(seed)
    return np.array([dice.choice(margins.shape[1], p=row) for row in softmax(margins)])


def logs(margins: NDArray[np.float64]) -> LogProbabilities:
    """Logarithms of the softmax."""
    return np.log(softmax(margins)).astype(np.float32)


def test_one_stage_is_calibrated_by_its_temperature() -> None:
    """Labels drawn at temperature 2 give a weight of a half."""
    margins = np.random.default_rng(7).normal(size=(4_000, 5)) * 4

    fit = fit_weighing([logs(margins)], drawn(margins / 2, 7))

    assert 0.5 == pytest.approx(fit.weights[0], abs=0.04)
    assert fit.lapse < 0.02


def test_rows_of_which_nothing_is_known_leave_the_others_as_sure_as_they_are() -> None:
    """A tenth of the labels drawn at random: they are a lapse of a tenth, and the weight stays what it was."""
    margins = np.random.default_rng(7).normal(size=(6_000, 5)) * 4
    truth, dice = drawn(margins, 7), np.random.default_rng(8)
    truth = np.where(dice.random(len(truth)) < 0.1, dice.integers(0, 5, len(truth)), truth)

    fit = fit_weighing([logs(margins)], truth)

    assert 1.0 == pytest.approx(fit.weights[0], abs=0.06)
    assert 0.1 == pytest.approx(fit.lapse, abs=0.015)
    shares = pooled([logs(margins)], fit)
    assert np.allclose(1, shares.sum(axis=1))
    assert np.array_equal(shares.argmax(axis=1), margins.argmax(axis=1))
    assert fit.lapse / 5 == pytest.approx(shares.min(), rel=0.01)  # no answer is so sure that it leaves the others less


def test_a_stage_that_knows_nothing_gets_no_weight() -> None:
    """Noise beside a stage that knows: the fusion is as likely as the stage alone, and it is told apart."""
    margins = np.random.default_rng(1).normal(size=(3_000, 4)) * 2
    noise = np.random.default_rng(2).normal(size=(3_000, 4)) * 2

    weights = fit_weighing([logs(margins), logs(noise)], drawn(margins, 3)).weights

    assert 1.0 == pytest.approx(weights[0], abs=0.1)
    assert weights[1] < 0.1


def test_two_views_of_the_same_truth_add_up() -> None:
    """Independent evidence is multiplied: the pool is likelier than either stage."""
    margins = [np.random.default_rng(seed).normal(size=(3_000, 4)) for seed in (4, 5)]
    truth = drawn(margins[0] + margins[1], 6)
    some = [logs(one) for one in margins]
    rows = np.arange(len(truth))

    def surprise(chosen: list[LogProbabilities]) -> float:
        return float(-np.log(pooled(chosen, fit_weighing(chosen, truth))[rows, truth]).mean())

    assert surprise(some) < min(surprise(some[:1]), surprise(some[1:])) - 0.05


def test_too_few_rows_fit_nothing() -> None:
    """Each stage then counts alike, and a lone one is believed as it is."""
    some = [logs(np.eye(3)), logs(np.eye(3))]

    assert Weighing((0.5, 0.5)) == fit_weighing(some, np.arange(3))
    assert Weighing((1.0,)) == fit_weighing(some[:1], np.arange(3))


def test_the_cascade_stops_where_stopping_costs_nothing() -> None:
    """The unsure rows are those that the later stage puts right."""
    confidence = np.array([0.9, 0.8, 0.6, 0.5])
    right, later = np.array([True, True, False, False]), np.array([True, True, True, True])

    assert 0.8 == stop_threshold(confidence, right, later, 0.0)
    assert 0.6 == stop_threshold(confidence, right, later, 0.25)
    assert stop_threshold(confidence, np.zeros(4, np.bool_), later, 0.0) > 1.0


def test_where_the_later_stage_is_no_better_nobody_asks_it() -> None:
    """Rows that both get wrong cost nothing."""
    confidence, right = np.array([0.9, 0.1]), np.array([True, False])

    assert 0.1 == stop_threshold(confidence, right, right, 0.0)
