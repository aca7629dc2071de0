"""A category that was just taught takes little from those that were known before."""

import numpy as np
import pytest

from model.restraint import FURTHEST, MOST_TAKEN, offsets

ROWS = 10_000


def answers(taken: int, by: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows of class 0; the taught class 1 is ahead of it in some, by so much of the log-probability; class 2 is far."""
    logs = np.tile([0.0, -3.0, -9.0], (ROWS, 1))
    logs[:taken, 1] = by
    shares = np.exp(logs)
    return shares / shares.sum(axis=1, keepdims=True), np.zeros(ROWS, np.int64)


@pytest.mark.parametrize("by", [0.4, 1.5])
def test_it_holds_back_until_hardly_a_row_is_lost(by: float) -> None:
    """Lowered by what it was ahead, no further; the other classes stay as they are."""
    shares, truth = answers(500, by)
    found = offsets(shares, truth, [1])
    assert [0.0, pytest.approx(-by, abs=1e-6), 0.0] == found
    lost = (np.log(shares) + found).argmax(axis=1) == 1
    assert lost[500:].sum() == 0
    assert int(MOST_TAKEN * ROWS) >= (np.log(shares) + found - [0, 1e-6, 0]).argmax(axis=1).tolist().count(1)


def test_a_few_rows_may_be_lost() -> None:
    """Up to the share that it may take, nothing changes."""
    assert [0.0, 0.0, 0.0] == offsets(*answers(int(MOST_TAKEN * ROWS), 1.0), [1])


def test_it_never_holds_back_so_far_that_it_is_gone() -> None:
    """A category that is wrongly sure of itself is for the gate to refuse."""
    assert FURTHEST == offsets(*answers(500, 8.0), [1])[1]


def test_its_own_rows_and_wrong_ones_do_not_count() -> None:
    """What belongs to it, and what would be wrong anyway, cannot be taken from others."""
    shares, truth = answers(500, 1.0)
    assert [0.0, 0.0, 0.0] == offsets(shares, np.where(np.arange(ROWS) < 500, 1, truth), [1])
    assert [0.0, 0.0, 0.0] == offsets(shares, np.where(np.arange(ROWS) < 500, 2, truth), [1])
