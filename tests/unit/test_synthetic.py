"""The synthetic catalogue: the same from the same seed, and as messy as it says."""

from collections import Counter
from itertools import pairwise

import pytest

from model.data.cleaning import clean_title
from model.synthetic.catalogue import Catalogue, SyntheticProduct
from model.synthetic.market import IMBALANCE, shares
from model.synthetic.photos import LOOKS
from model.synthetic.shapes import SHAPES
from model.synthetic.vocabulary import LANGUAGES, neighbours, vocabulary
from schemas.taxonomy import Taxonomy

CODES = set(Taxonomy.builtin().codes)


@pytest.fixture(scope="module")
def rows() -> list[SyntheticProduct]:
    """The first rows of seed 0, each in its right category."""
    return list(Catalogue(label_noise=0.0).rows(2_500))


def test_a_row_depends_on_the_seed_and_its_number_alone(rows: list[SyntheticProduct]) -> None:
    """More rows keep the first, any row can be made alone, and another seed gives others."""
    assert rows[:50] == list(Catalogue(label_noise=0.0).rows(50))
    assert rows[1_234] == Catalogue(label_noise=0.0).row(1_234)
    assert not {row.title for row in rows[:200]} & {row.title for row in Catalogue(seed=1).rows(200)}


def test_a_row_is_the_same_on_every_machine(rows: list[SyntheticProduct]) -> None:
    """These words are those of version 1 of the catalogue; a change of them changes every figure measured on it."""
    assert ("p0000007", "1140") == (rows[7].id, rows[7].category)
    assert "Tatafa Squad Series 2 Import Japon XE 159" == rows[7].title


def test_every_category_is_there_in_its_share(rows: list[SyntheticProduct]) -> None:
    """The largest has 13 times the rows of the smallest, before and after a drift, which moves them."""
    before, after = shares(), shares(drifted=True)

    assert CODES == before.keys() == after.keys()
    for found in (before, after):
        assert pytest.approx(IMBALANCE) == max(found.values()) / min(found.values())
        assert pytest.approx(1.0) == sum(found.values())
    counted = Counter(row.true_category for row in rows)
    assert all(abs(counted[code] / len(rows) - before[code]) < 0.03 for code in CODES)
    assert max(before, key=before.__getitem__) != max(after, key=after.__getitem__)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_category_has_words_in_every_language(language: str) -> None:
    """No category is without things to sell, a neighbour to be mistaken for, and a look."""
    words = vocabulary(language)

    assert CODES == words.heads.keys() == neighbours().keys() == LOOKS.keys()
    assert CODES >= words.new_heads.keys() | words.shared.keys()
    assert not [code for code in CODES if set(words.heads[code]) & set(words.new_heads.get(code, ()))]
    assert SHAPES.keys() >= {shape for shapes, _ in LOOKS.values() for shape in shapes.split()}


def test_titles_and_descriptions_are_as_messy_as_they_say(rows: list[SyntheticProduct]) -> None:
    """About 11 words, a third without description, HTML with entities, three languages, every case."""
    described = [row.description for row in rows if row.description is not None]
    languages = Counter(row.language for row in rows)

    assert 9.5 < sum(len(row.title.split()) for row in rows) / len(rows) < 12
    assert 0.62 < len(described) / len(rows) < 0.68
    assert 0.7 < sum("<" in text for text in described) / len(described) < 0.9
    assert any("&eacute;" in text for text in described)
    assert {"fr", "en", "de"} == set(languages)
    assert 0.65 < languages["fr"] / len(rows) < 0.8
    assert any(row.title.isupper() for row in rows)
    assert any(row.title.islower() for row in rows)


def test_some_products_come_again(rows: list[SyntheticProduct]) -> None:
    """A twin has the same title or nearly, so a split that looks only at rows would leak."""
    titles = Counter(clean_title(row.title) for row in rows)
    again = sum(count for count in titles.values() if count > 1)

    assert 0.01 < again / len(rows) < 0.08


def test_label_noise_is_as_much_as_asked_for_and_touches_nothing_else() -> None:
    """More noise keeps the rows that were wrong already wrong in the same way."""
    made = [list(Catalogue(label_noise=part).rows(800)) for part in (0.0, 0.1, 0.3)]
    wrong = [{row.id: row.category for row in rows if row.category != row.true_category} for rows in made]

    assert [0, 80, 240] == pytest.approx([len(found) for found in wrong], abs=35)
    assert wrong[1].items() <= wrong[2].items()
    assert [row.title for row in made[0]] == [row.title for row in made[2]]


def test_drift_brings_new_words_to_as_many_rows_as_asked_for() -> None:
    """The other rows stay as they were, and a little drift is a part of a larger."""
    none, some, full = ([*Catalogue(drift=part).rows(800)] for part in (0.0, 0.3, 1.0))
    changed = [{row.id for row, old in zip(made, none, strict=True) if row != old} for made in (some, full)]

    assert 0.24 < len(changed[0]) / len(none) < 0.36
    assert 0.97 < len(changed[1]) / len(none)
    assert all(one == other for one, other in zip(some, full, strict=True) if one.id in changed[0])
    words = [{word for row in made for word in row.title.lower().split()} for made in (none, full)]
    assert len(words[1] - words[0]) > 0.4 * len(words[1])
    counts = [Counter(row.true_category for row in made) for made in (none, full)]
    assert sum(abs(counts[0][code] - counts[1][code]) for code in CODES) > 0.5 * len(none)


def test_neighbours_are_mutual() -> None:
    """What shares words with another is its neighbour, and no category is its own."""
    for code, near in neighbours().items():
        assert code not in near
        assert all(code in neighbours()[other] for other in near)
        assert all(int(one) < int(other) for one, other in pairwise(near))
