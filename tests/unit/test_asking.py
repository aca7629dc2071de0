"""Asking a stage that breaks on some rows: the others keep its answers, and nobody is asked for ever."""

import numpy as np
import pytest

from model.asking import MOST_CALLS, Indices, ask
from model.stages import LogProbabilities

EVERY = np.ones(512, np.bool_)


class Breaks:
    """A stage that breaks on some rows, or the first few times."""

    def __init__(self, *rows: int, times: int = 0) -> None:
        self.calls = 0
        self._rows = rows
        self._times = times

    def __call__(self, rows: Indices) -> LogProbabilities:
        """Two classes, by the row's number."""
        self.calls += 1
        if self.calls <= self._times or np.isin(self._rows, rows).any():
            raise RuntimeError("broken")
        return np.stack([rows, -rows], axis=1).astype(np.float32)


def test_one_row_costs_itself() -> None:
    """Wherever it is, it is found in about two calls a halving."""
    for row in (0, 255, 300, 511):
        stage = Breaks(row)
        answers, why = ask("s", stage, np.arange(512), EVERY, 2)

        assert {row: "RuntimeError: broken"} == why
        assert [row] == np.flatnonzero(np.isnan(answers[:, 0])).tolist()
        assert np.delete(np.arange(512), row).tolist() == np.delete(answers[:, 0], row).tolist()
        assert stage.calls <= 2 + 2 * 9 + 1


def test_what_is_over_when_asked_again_costs_nothing() -> None:
    """Memory that was short a moment ago, say."""
    answers, why = ask("s", Breaks(times=1), np.arange(9), EVERY[:9], 2)

    assert {} == why
    assert list(range(9)) == answers[:, 0].tolist()


def test_a_stage_that_breaks_on_all_is_not_asked_about_each() -> None:
    """It is left out, after so many calls."""
    stage = Breaks(*range(512))
    answers, why = ask("s", stage, np.arange(512), EVERY, 2)

    assert list(range(512)) == sorted(why)
    assert np.isnan(answers).all()
    assert stage.calls < 2 * MOST_CALLS


def test_rows_that_nobody_has_answered_raise() -> None:
    """They are asked apart from the others, and first."""
    answered = EVERY.copy()
    answered[5] = False
    with pytest.raises(RuntimeError, match="broken"):
        ask("s", Breaks(5), np.arange(512), answered, 2)
    with pytest.raises(RuntimeError, match="broken"):
        ask("s", Breaks(5), np.arange(512), ~EVERY, 2)

    assert {7: "RuntimeError: broken"} == ask("s", Breaks(7), np.arange(512), answered, 2)[1]
