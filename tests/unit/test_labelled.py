"""Data sets to learn from: categories, taxonomies, and what is refused."""

from pathlib import Path

import pytest

from model.data.columns import Columns
from model.data.labelled import check_learnable, load_labelled, row_key
from model.errors import CategoryUnknown, ColumnMissing, DataInvalid
from schemas.taxonomy import Taxonomy


def _write(folder: Path, rows: list[str], header: str = "title,category,theme") -> Path:
    path = folder / "data.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_codes_of_the_builtin_taxonomy_use_it(tmp_path: Path) -> None:
    """Data whose every category is one of the 27 codes has their labels."""
    data = load_labelled(_write(tmp_path, ["a,10,", "b,2280,", "c,10,", "d,10,"]))

    assert Taxonomy.builtin() == data.taxonomy
    assert ["10", "2280"] == data.classes


def test_labels_make_their_own_taxonomy(tmp_path: Path) -> None:
    """Codes are slugs of the labels, and themes come from their column."""
    data = load_labelled(_write(tmp_path, ["a,Thé vert,Boissons", "b,10,", "c,Thé vert,Boissons", "d,10,"]))

    assert {"10", "the-vert"} == set(data.classes)
    assert "Boissons" == data.taxonomy.category("the-vert").theme


def test_a_category_outside_a_given_taxonomy_is_named(tmp_path: Path) -> None:
    """The error says row and value."""
    with pytest.raises(CategoryUnknown, match=r"Row 3 of .*data\.csv has '99999' in column 'category'"):
        load_labelled(_write(tmp_path, ["a,10,", "b,99999,"]), taxonomy=Taxonomy.builtin())


def test_rows_without_a_category_are_passed_over(tmp_path: Path) -> None:
    """A gap in the labels is counted, not guessed."""
    data = load_labelled(_write(tmp_path, ["a,10,", "b,,", "c,40,", "d,10,", "e,40,"]))

    assert 4 == len(data)
    assert 1 == data.problems.empty
    assert "Row 3" in data.problems.messages[0]


def test_no_category_column_is_an_error(tmp_path: Path) -> None:
    """Training says which option is missing."""
    with pytest.raises(ColumnMissing, match="--category-column"):
        load_labelled(_write(tmp_path, ["a"], header="title"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([f"t{n},10," for n in range(50)], "'10'; a classifier needs two"),
        (["a,10,", "b,40,", "c,10,", "d,40,"], "has 4 usable rows"),
        ([",10,"], "no row with both"),
        ([f"t{n},c{n}," for n in range(50)], "50 categories in 50 rows"),
    ],
)
def test_what_cannot_be_learned_is_refused(tmp_path: Path, rows: list[str], message: str) -> None:
    """One category, too few rows, no usable row, and a column of ids each have their own message."""
    with pytest.raises(DataInvalid, match=message):
        check_learnable(load_labelled(_write(tmp_path, rows)))


def test_a_row_key_follows_the_cleaned_title(tmp_path: Path) -> None:
    """Twins share a key whatever their markup; without a title the description counts."""
    data = load_labelled(_write(tmp_path, ["<b>Thé</b>,10,", "THÉ,40,", "café,10,", "eau,40,"]))

    assert data.keys[0] == data.keys[1] == row_key("thé", "")
    assert row_key("", "thé") != row_key("thé", "")


def test_the_data_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    """Another byte is another data set."""
    first = load_labelled(_write(tmp_path, ["a,10,", "b,40,", "c,10,", "d,40,"])).sha256
    second = load_labelled(_write(tmp_path, ["a,10,", "b,40,", "c,10,", "e,40,"]), Columns()).sha256

    assert first != second


def test_one_photo_under_two_titles_is_one_group(tmp_path: Path) -> None:
    """Its copy under another name too; keys stay those of the titles."""
    for name, content in (("a.jpg", b"one photo"), ("copy.jpg", b"one photo"), ("b.jpg", b"two photo")):
        (tmp_path / name).write_bytes(content)
    rows = ["a,10,,a.jpg", "b,40,,copy.jpg", "c,10,,b.jpg", "d,40,,"]
    data = load_labelled(_write(tmp_path, rows, header="title,category,theme,image"))

    assert 4 == len(set(data.keys.tolist()))
    assert data.groups[0] == data.groups[1] == data.keys[:2].min()
    assert data.keys[2:].tolist() == data.groups[2:].tolist()
