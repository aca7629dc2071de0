"""Training, validation and test sides of a data set, each class in its share, twins never on two sides."""

from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]

MOST_TITLES: Final = 20
"""A photo that more titles share is no photo of a product, but says that there is none: it joins nothing."""


@dataclass(frozen=True)
class Split:
    """Row numbers of each side."""

    train: Rows
    validation: Rows
    test: Rows

    @property
    def seen(self) -> Rows:
        """Rows that the final fit may see: all but the test side."""
        return np.sort(np.concatenate([self.train, self.validation]))


def split_rows(
    codes: NDArray[np.str_], keys: NDArray[np.uint64], *, seed: int, test_share: float, validation_share: float
) -> Split:
    """Split so that each class has its share on each side as nearly as whole groups allow.

    Rows with one key go to one side together; a group that holds several classes counts for its first. The
    last group of a class stays in training, so that a class with one title is learned, if not measured.
    The result depends on the rows and the seed, not on the order of the file.

    Args:
        codes: Category of each row.
        keys: Group of each row.
        seed: Of the shuffle.
        test_share: Part of each class for the test side.
        validation_share: Part of each class for the validation side.
    """
    groups = np.unique(keys)
    rank = np.random.default_rng(seed).permutation(len(groups))[np.searchsorted(groups, keys)]
    order = np.lexsort((codes, rank))
    starts = np.flatnonzero(np.diff(rank[order], prepend=-1))
    members = np.split(order, starts[1:])
    by_class: dict[str, list[Rows]] = {}
    for group in members:
        by_class.setdefault(str(codes[group[0]]), []).append(group)
    sides: tuple[list[Rows], list[Rows], list[Rows]] = ([], [], [])
    for _, own in sorted(by_class.items()):
        rows = sum(map(len, own))
        wanted = [round(rows * test_share), round(rows * validation_share)]
        for number, group in enumerate(own):
            last = number == len(own) - 1
            fits = [side for side in (0, 1) if not last and len(group) <= wanted[side]]
            side = fits[0] if fits else 2
            if fits:
                wanted[side] -= len(group)
            sides[side].append(group)
    test, validation, train = (np.sort(np.concatenate(side)) if side else np.empty(0, np.int64) for side in sides)
    return Split(train, validation, test)


def cross_validation(
    codes: NDArray[np.str_], keys: NDArray[np.uint64], rows: Rows, *, count: int, seed: int
) -> list[tuple[Rows, Rows]]:
    """Cut rows into so many parts that each is once the held-out one; rows with one key are in one part.

    Each part has its share of each class, as nearly as whole groups allow, and the first above all, as it is the only
    one that kinds are held out on which take long: a group larger than a class's share of a part is in another.

    Args:
        codes: Category of each row of the data.
        keys: Group of each row of the data.
        rows: Which rows to cut.
        count: How many parts.
        seed: Of the shuffle.

    Returns:
        For each part, the row numbers of the others and its own.
    """
    groups = np.unique(keys[rows])
    rank = np.random.default_rng(seed).permutation(len(groups))[np.searchsorted(groups, keys[rows])]
    order = np.lexsort((codes[rows], rank))  # each group's rows together, groups shuffled
    starts = np.flatnonzero(np.diff(rank[order], prepend=-1))
    sizes = np.diff(np.append(starts, len(order)))
    of_row = np.empty(len(rows), np.int64)
    of_row[order] = np.repeat(_dealt(codes[rows[order[starts]]], sizes, count), sizes)
    return [(np.sort(rows[of_row != number]), np.sort(rows[of_row == number])) for number in range(count)]


def _dealt(codes: NDArray[np.str_], sizes: Rows, count: int) -> Rows:
    """The part of each group: that with the fewest rows of its class, of these that with the fewest of all.

    Large groups come first, so that small ones can even them out (longest processing time first, Graham 1969).
    """
    part, rows = np.empty(len(sizes), np.int64), [0] * count
    for code in np.unique(codes):
        own = np.flatnonzero(codes == code)
        of_class, share = [0] * count, ceil(sizes[own].sum() / count)
        for group in own[np.argsort(-sizes[own], kind="stable")].tolist():
            size = int(sizes[group])
            able = range(1 if size > share else 0, count)
            part[group] = chosen = min(able, key=lambda one: (of_class[one], rows[one]))
            of_class[chosen] += size
            rows[chosen] += size
    return part


def grouped(keys: NDArray[np.uint64], photos: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Keys of groups: the smallest key of all rows that are joined by a key or by a photo, also over several of them.

    Rows that share no photo with another title keep their key.

    Args:
        keys: Of each row, the same for the same title.
        photos: Of each row, the same for the same photo; below 0 where there is none.
    """
    titles, title = np.unique(keys, return_inverse=True)
    pairs = np.unique(np.stack([photos, title], axis=1)[photos >= 0], axis=0)
    shared = np.bincount(pairs[:, 0])[pairs[:, 0]]
    pairs = pairs[(shared > 1) & (shared <= MOST_TITLES)]
    if not len(pairs):
        return keys

    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    nodes = len(titles) + int(pairs[:, 0].max()) + 1
    links = coo_array((np.ones(len(pairs)), (pairs[:, 1], len(titles) + pairs[:, 0])), shape=(nodes, nodes))
    component = connected_components(links, directed=False)[1][: len(titles)]
    smallest = np.full(nodes, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(smallest, component, titles)
    found: NDArray[np.uint64] = smallest[component][title]
    return found
