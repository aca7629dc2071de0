"""Bootstrap intervals: how far a figure would move on other rows of the same kind."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from model.report.schema import Interval

ROUNDS: Final = 1_000
LEVEL: Final = 0.95

_BLOCK = 50  # rounds at once: for 20,000 titles 8 MB

Sums = NDArray[np.float64]
"""One line a round of the bootstrap, one column a sum over the rows drawn in it."""


class Bootstrap:
    """Draws of whole groups with replacement; the same ones at each call, so that figures are compared in pairs.

    Rows of one title are right or wrong together; drawn one by one they would make the interval too narrow
    (the cluster bootstrap of Davison and Hinkley 1997, "Bootstrap Methods and their Application", section 3.8).

    Args:
        groups: What each row has in common with others, such as the key of its title.
        seed: Of the draws.
        rounds: How many.
    """

    def __init__(self, groups: NDArray[np.integer[Any]], *, seed: int, rounds: int = ROUNDS) -> None:
        _, members = np.unique(groups, return_inverse=True)
        self._groups = int(members.max()) + 1
        rows = np.arange(len(members))
        self._of_group = csr_array((np.ones(len(rows)), (members, rows)), shape=(self._groups, len(rows)))
        self._seed = seed
        self._rounds = rounds

    def sums(self, figures: csr_array | NDArray[Any]) -> Sums:
        """Sums over the rows of each round, a row counted as often as it is drawn.

        Args:
            figures: [rows, figures]; sparse ones are quicker by far.

        Returns:
            [rounds, figures].
        """
        of_group = self._of_group @ figures
        draw = np.random.default_rng(self._seed)
        blocks = []
        for start in range(0, self._rounds, _BLOCK):
            numbers = draw.integers(0, self._groups, (min(_BLOCK, self._rounds - start), self._groups))
            drawn = np.array([np.bincount(line, minlength=self._groups) for line in numbers])
            blocks.append((of_group.T @ drawn.T).T)
        return np.concatenate(blocks)


def interval(figures: NDArray[np.float64]) -> Interval:
    """The middle 95 % of a figure's values over the rounds (the percentile interval)."""
    low, high = np.quantile(figures, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(low=float(low), high=float(high))
