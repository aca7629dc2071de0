"""The split: shares by class, twins together, nothing lost."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model.data.split import Split, split_rows


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
