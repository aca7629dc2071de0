"""Two columns of values cut into the same bins, and how far their shares differ."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

OTHER: Final = "other"

_FLOOR: Final = 0.0001  # the share of an empty bin, as Evidently takes it: the logarithm needs one
_BY_CHANCE: Final = 0.05
_FEWEST_BINS: Final = 2
_UNFIT: Final = str.maketrans({"<": "(", ">": ")", "&": "+"})  # names travel into a page's script

Binned = dict[str, tuple[int, int]]
"""By a bin's name, how many values of the reference and of the current rows it has."""


def bins_for(reference: int, current: int, most: int) -> int:
    """How many bins two samples can fill so that chance alone keeps the PSI under 0.05.

    Of two samples of one distribution it is (B - 1)(1/n + 1/m) on average (Yurdakul and Naranjo 2020, "Statistical
    properties of the population stability index", Journal of Risk Model Validation 14(3)).

    Args:
        reference: Values in the reference, n.
        current: Values to compare with it, m.
        most: Never more bins than this.
    """
    fit = 1 + int(_BY_CHANCE * reference * current / (reference + current))
    return max(_FEWEST_BINS, min(fit, most))


def cut_numbers(reference: Sequence[tuple[float, int]], current: Sequence[tuple[float, int]], bins: int) -> Binned:
    """Bins between the reference's quantiles, each with about as many of its values; open at both ends.

    Args:
        reference: Values in ascending order with their counts.
        current: Likewise.
        bins: How many, at most: a value that is frequent takes the place of several.
    """
    edges = _quantiles(reference, bins)
    names = _names(edges)
    before, now = (
        np.bincount([bisect_left(edges, value) for value, _ in column], [count for _, count in column], len(names))
        for column in (reference, current)
    )
    return {name: (int(old), int(new)) for name, old, new in zip(names, before, now, strict=True)}


def pool_categories(reference: Mapping[str, int], current: Mapping[str, int], bins: int) -> Binned:
    """The reference's most frequent values, and one bin for all others and for new ones.

    Args:
        reference: Counts of the values.
        current: Likewise.
        bins: How many, at most.
    """
    own = [name for name, _ in sorted(reference.items(), key=lambda item: (-item[1], item[0]))[: bins - 1]]
    names = {name: name.translate(_UNFIT) for name in own}
    before, now = Counter[str](), Counter[str]()
    for counts, column in ((before, reference), (now, current)):
        for name, count in column.items():
            counts[names.get(name, OTHER)] += count
    return {
        name: (before[name], now[name]) for name in [*dict.fromkeys(names.values()), OTHER] if before[name] + now[name]
    }


def psi(binned: Binned) -> float:
    """The population stability index: the sum over the bins of (p - q) ln(p / q), p and q their shares.

    It is the Jeffreys divergence of the two (Jeffreys 1946), 0 for equal ones.
    """
    counts = np.array(list(binned.values()), np.float64)
    shares = counts / counts.sum(axis=0)
    shares[shares == 0] = _FLOOR
    before, now = shares.T
    return float(((before - now) * np.log(before / now)).sum())


def p_value(binned: Binned) -> float:
    """How likely shares that differ so much are where both come from one distribution (Pearson's chi-square test)."""
    from scipy.special import chdtrc  # not scipy.stats, which takes seconds to import

    counts = np.array([pair for pair in binned.values() if any(pair)], np.float64)
    if len(counts) < 2:
        return 1.0
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    return float(chdtrc(len(counts) - 1, ((counts - expected) ** 2 / expected).sum()))


def _quantiles(counted: Sequence[tuple[float, int]], bins: int) -> list[float]:
    values, counts = zip(*counted, strict=True)
    reached = np.cumsum(counts) / sum(counts)
    wanted = np.arange(1, bins) / bins
    return sorted({float(values[place]) for place in np.searchsorted(reached, wanted - 1e-9)})


def _names(edges: Sequence[float]) -> list[str]:
    shown = [f"{edge:g}" for edge in edges]
    between = [f"{low} to {high}" for low, high in pairwise(shown)]
    return [f"up to {shown[0]}", *between, f"over {shown[-1]}"]
