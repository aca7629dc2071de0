"""The split: shares by class, twins together, nothing lost."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model.data.split import MOST_TITLES, Split, cross_validation, grouped, split_rows


def _split(codes: list[str], keys: list[int], seed: int = 0) -> Split:
    return split_rows(np.array(codes), np.array(keys, np.uint64), seed=seed, test_share=0.2, validation_share=0.1)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30)), min_size=1, max_size=200), st.integers(0, 9))
def test_every_row_is_on_one_side_and_twins_together(rows: list[tuple[str, int]], seed: int) -> None:
    """No row is lost or counted twice, and no key is on two sides."""
    split = _split([code for code, _ in rows], [key for _, key in rows], seed)
    sides = [split.train, split.validation, split.test]

    assert list(range(len(rows))) == sorted(np.concatenate(sides).tolist())
    keys = [{rows[row][1] for row in side} for side in sides]
    assert not keys[0] & keys[1] | keys[0] & keys[2] | keys[1] & keys[2]


def test_each_class_has_its_share() -> None:
    """A rare class is measured as a common one is."""
    codes = ["common"] * 900 + ["rare"] * 10
    split = _split(codes, list(range(910)))

    assert 180 + 2 == len(split.test)
    assert 2 == sum(codes[row] == "rare" for row in split.test)
    assert 90 + 1 == len(split.validation)


def test_the_order_of_the_file_does_not_matter() -> None:
    """The same rows in another order have the same sides."""
    codes, keys = ["a", "b"] * 50, list(range(100))
    there, back = _split(codes, keys), _split(codes[::-1], keys[::-1])

    assert {keys[row] for row in there.test} == {keys[::-1][row] for row in back.test}


def test_a_class_with_one_title_is_learned() -> None:
    """Its only title stays in training."""
    split = _split(["a"] * 20 + ["b"], list(range(21)))

    assert 20 in split.train.tolist()


def _parts(codes: list[str], keys: list[int], seed: int = 0) -> list[tuple[list[int], list[int]]]:
    """Five of them, of all rows."""
    every = np.arange(len(codes))
    found = cross_validation(np.array(codes), np.array(keys, np.uint64), every, count=5, seed=seed)
    return [(fit.tolist(), held.tolist()) for fit, held in found]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30)), min_size=1, max_size=200), st.integers(0, 9))
def test_each_row_is_held_out_once_and_no_twin_leaks(rows: list[tuple[str, int]], seed: int) -> None:
    """What a fold is measured with has no title that it is fitted on."""
    parts = _parts([code for code, _ in rows], [key for _, key in rows], seed)

    assert list(range(len(rows))) == sorted(row for _, held in parts for row in held)
    for fit, held in parts:
        assert sorted([*fit, *held]) == list(range(len(rows)))
        assert not {rows[row][1] for row in fit} & {rows[row][1] for row in held}


def test_every_part_has_its_share_of_every_class_whatever_groups_there_are() -> None:
    """Titles that a third of a class has are not in the first part, and each part is even where groups allow."""
    codes: list[str] = []
    keys: list[int] = []
    for code, rows, titles in (("common", 1_000, 500), ("usual", 200, 100), ("rare", 7, 7)):
        codes += [code] * rows
        keys += [10_000 * len(codes) + row % titles for row in range(rows)]
    codes += ["common"] * 400 + ["usual"] * 90
    keys += [1] * 400 + [2] * 90
    for seed in range(5):
        first, *others = (held for _, held in _parts(codes, keys, seed))
        assert not {1, 2} & {keys[row] for row in first}
        for code, least, most in (("common", 240, 260), ("usual", 48, 52), ("rare", 1, 3)):
            assert least <= sum(codes[row] == code for row in first) <= most
        assert all(sum(codes[row] == "rare" for row in part) >= 1 for part in others)


def test_a_class_of_few_titles_is_in_the_emptier_parts() -> None:
    """Not always in the same: 20 classes of two titles fill all parts alike."""
    codes = [f"c{n // 2}" for n in range(40)]

    assert [8] * 5 == [len(held) for _, held in _parts(codes, list(range(40)))]


def test_a_photo_joins_the_titles_that_show_it() -> None:
    """Also over several steps; a row without a photo keeps its key, and the smallest key names the group."""
    keys = np.array([50, 40, 30, 20, 10, 40], np.uint64)
    photos = np.array([3, 3, 7, -1, 9, 7])

    assert [30, 30, 30, 20, 10, 30] == grouped(keys, photos).tolist()
    assert keys.tolist() == grouped(keys, np.full(6, -1)).tolist()
    assert np.uint64 == grouped(keys, photos).dtype


def test_a_picture_that_stands_for_none_joins_nothing() -> None:
    """Else all products without a photo of their own would be one group."""
    keys = np.arange(MOST_TITLES + 1, dtype=np.uint64)

    assert keys.tolist() == grouped(keys, np.zeros(len(keys), np.int64)).tolist()
    assert [0] * MOST_TITLES == grouped(keys[:-1], np.zeros(MOST_TITLES, np.int64)).tolist()
