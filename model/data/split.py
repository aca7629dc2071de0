"""Training, validation and test sides of a data set, each class in its share, twins never on two sides."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


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
    first_code = codes[rows[order[starts]]]
    part = np.empty(len(starts), np.int64)
    for code in np.unique(first_code):  # the groups of a class in turns
        own = np.flatnonzero(first_code == code)
        part[own] = (np.arange(len(own)) + rank[order[starts[own[0]]]]) % count
    of_row = np.empty(len(rows), np.int64)
    of_row[order] = np.repeat(part, np.diff(np.append(starts, len(order))))
    return [(np.sort(rows[of_row != number]), np.sort(rows[of_row == number])) for number in range(count)]
