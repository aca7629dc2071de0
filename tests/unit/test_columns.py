"""Which column is which."""

from pathlib import Path

import pytest

from model.data.columns import Columns
from model.errors import ColumnMissing

FILE = Path("shop.csv")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (["id", "title", "description", "category"], Columns("id", "title", "description", "category")),
        (["", "designation", "productid", "imageid"], Columns("productid", "designation", image="imageid")),
        (["Nom du produit", "Titre", "Catégorie"], Columns(title="Titre", category="Catégorie")),
        (["code", "product_name", "ingredients_text"], Columns(None, "product_name", "ingredients_text", "code")),
        (["code", "title", "category"], Columns("code", "title", category="category")),
    ],
)
def test_usual_names_are_found(header: list[str], expected: Columns) -> None:
    """A file with the names people give its columns needs no options."""
    assert expected == Columns().resolve(header, FILE)


def test_a_named_column_wins() -> None:
    """What the user names is taken, and not taken twice."""
    resolved = Columns(category="label").resolve(["title", "category", "label"], FILE)

    assert "label" == resolved.category


def test_a_named_column_that_is_not_there_is_an_error() -> None:
    """The message names the file, the column and what there is."""
    with pytest.raises(ColumnMissing, match=r"shop\.csv has no column 'nope'\. It has: 'title', 'x'\."):
        Columns(title="nope").resolve(["title", "x"], FILE)


def test_nothing_to_classify_by_is_an_error() -> None:
    """A file without title, description and image is refused with the option that helps."""
    with pytest.raises(ColumnMissing, match="--title-column"):
        Columns().resolve(["price", "stock"], FILE)
