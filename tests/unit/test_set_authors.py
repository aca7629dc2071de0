"""Whose word counts: authors who cannot be believed are named with the figures, and nobody else is."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from infra.settings import Settings
from model.baseline import Baseline
from model.data.labelled import load_labelled
from tests.conftest import CIQUAL
from tests.shop import Shop
from workers.retrain.authors import set_aside
from workers.retrain.implausible import Looked
from workers.retrain.set_manifest import SetAside
from workers.retrain.set_rows import SetRow
from workers.retrain.swaps import swapped

Pairs = list[tuple[str, str]]


@pytest.fixture
def shop() -> Shop:
    """Nobody has said anything yet."""
    return Shop()


def doubted(shop: Shop, rows: Sequence[SetRow] = (), **rules: Any) -> list[SetAside]:
    """Whom nobody can believe."""
    return set_aside(shop.log.said(), rows, Settings(**rules), 0)


def test_who_contradicts_the_golden_set(shop: Shop) -> None:
    """More often than is allowed, and beyond chance; to reject what has a category contradicts it too."""
    golden = [SetRow(f"tea {number}", None, "teas", side="golden") for number in range(20)]
    for number in range(20):
        shop.say(
            f"tea {number}", "jams" if number % 2 else None, "eve", verdict="corrected" if number % 2 else "rejected"
        )
        shop.say(f"tea {number}", "jams" if number < 4 else "teas", "ann")
    for number in range(4):
        shop.say(f"tea {number}", "jams", "bob")

    aside = doubted(shop, golden)

    assert [("eve", "author", 20)] == [(one.who, one.kind, one.verdicts) for one in aside]
    assert "20 of 20 verdicts on golden products say something else; 25% are allowed" in aside[0].reason
    assert [] == doubted(shop, golden, author_disagreement=None)


def test_who_contradicts_all_others(shop: Shop) -> None:
    """Two who agree outweigh one; of two who differ nobody knows who is right."""
    for number in range(10):
        shop.say(f"gunpowder {number}", "teas", "ann", item=f"a{number}")
        shop.say(f"gunpowder {number}", "teas", "bob", item=f"a{number}")
        shop.say(f"gunpowder {number}", "jams", "eve", item=f"a{number}")
        shop.say(f"fig {number}", "jams", "ann", item=f"b{number}")
        shop.say(f"fig {number}", "teas", "cyd", item=f"b{number}")

    assert ["eve"] == [one.who for one in doubted(shop)]
    assert [] == doubted(shop, trusted_authors="ann, eve")


@pytest.fixture(scope="module")
def foods() -> tuple[list[SetRow], Pairs, Pairs]:
    """Real foods: the rows of a base set, and title and category of others that a model gets wrong, and right."""
    data = load_labelled(CIQUAL)
    titles, codes = data.titles, data.codes.tolist()
    order = random.Random(0).sample(range(len(data)), len(data))
    base, rest = order[: len(data) // 2], order[len(data) // 2 :]
    classes = data.classes
    model = Baseline([titles[row] for row in base], np.array([classes.index(codes[row]) for row in base]))
    said = [classes[label] for label in model.predict([titles[row] for row in rest]).tolist()]
    pairs = [(titles[row], codes[row]) for row in rest]
    wrong = [pair for pair, code in zip(pairs, said, strict=True) if code != pair[1]]
    rows = [SetRow(titles[row], None, codes[row]) for row in base]
    return rows, wrong, [pair for pair in pairs if pair not in wrong]


Foods = tuple[list[SetRow], Pairs, Pairs]


def test_random_labels_are_told_from_honest_ones(foods: Foods, shop: Shop) -> None:
    """Who labels at random is named, with nobody there to compare with; who corrects what is hard to tell is not."""
    chance, (rows, wrong, right) = random.Random(1), foods
    codes = sorted({code for _, code in right})
    for title, code in wrong[:120]:
        shop.say(title, code, "ann")
    for title, code in right[:60]:
        shop.say(title, chance.choice([one for one in codes if one != code]), "eve")

    aside = doubted(shop, rows)

    assert ["eve"] == [one.who for one in aside]
    assert "implausible" in aside[0].reason
    assert [] == doubted(shop, rows, author_implausible=None)


def test_one_mistake_made_again_and_again_is_no_reason_to_doubt(foods: Foods, shop: Shop) -> None:
    """Its corrections look strange, as nobody said so before; they name one category, or one that is new."""
    rows, _, right = foods
    kinds = sorted({code for _, code in right}, key=[code for _, code in right].count)
    mistaken = [title for title, code in right if code == kinds[-1]][:40]
    for title in mistaken:
        shop.say(title, kinds[-2], "ann")
    for number in range(60):
        shop.say(f"kombucha {number}", "fermented", "bob")

    assert [] == doubted(shop, rows)

    for title in mistaken[:25]:
        shop.say(f"{title} x", kinds[-3], "ann")
    assert ["ann"] == [one.who for one in doubted(shop, rows)]


def test_two_categories_that_many_people_swap_are_named(foods: Foods, shop: Shop) -> None:
    """No author says enough to be doubted; what all say together is. One way only, it may be a new kind of product."""
    rows, wrong, right = foods
    codes = [code for _, code in right]
    pair = sorted(sorted(set(codes), key=codes.count)[-2:])
    for title, code in wrong[:120]:
        shop.say(title, code, "ann", predicted=pair[0] if code != pair[0] else pair[1])
    for way in (0, 1):
        some = [title for title, code in right if code == pair[way]][:40]
        for number, title in enumerate(some):
            shop.say(title, pair[1 - way], f"eve{number % 10}", predicted=pair[way])
        aside = doubted(shop, rows)
        assert way == len(aside)

    assert [("categories", " and ".join(pair))] == [(one.kind, one.who) for one in aside]
    assert f"corrections from {pair[0]} to {pair[1]} are implausible" in aside[0].reason


@pytest.mark.parametrize(("there", "back", "expected"), [(20, 20, 1), (20, 8, 0), (8, 20, 0), (19, 19, 0)])
def test_a_swap_is_implausible_both_ways(there: int, back: int, expected: int) -> None:
    """And of each way there are twenty corrections at least; their ids are named."""
    ways = [("teas", "jams", there), ("jams", "teas", back)]
    looked = [
        Looked("eve", first, second, f"{first}{number}", number < strange)
        for first, second, strange in ways
        for number in range(19 if strange == 19 else 20)
    ]

    aside = list(swapped(looked, 0.3, 0.01))

    assert expected == len(aside)
    assert expected * 40 == sum(len(one.feedback_ids) for one in aside)
