"""Products in columns: cleaned once, cut and taken without a second cleaning."""

from pathlib import Path

import numpy as np
import pytest

from model import rows as module
from model.data.photos import PhotoFiles
from model.rows import MODALITIES, Rows
from schemas.product import Image, Product


def _rows() -> Rows:
    return Rows(["<b>Thé</b>", "", "vin"], ["", "Eau", "<br>"], [None, b"photo", b"another"])


def test_what_is_present_is_what_is_left_after_cleaning() -> None:
    """A description of tags alone is none; a photo counts where there is one."""
    assert [[True, False, False], [False, True, True], [True, False, True]] == _rows().present.tolist()
    assert [[True, False, False]] == Rows(["a"], [""]).present.tolist()
    assert (0, 3) == Rows([], []).present.shape


def test_the_rows_of_products_have_their_parts() -> None:
    """What a product lacks is empty; photos that nobody found leave no column."""
    products = [Product(product_id="1", title="a"), Product(product_id="2", image=Image(uri="b.jpg"))]

    assert (["a", ""], ["", ""]) == (Rows.of(products).raw_titles, Rows.of(products).raw_descriptions)
    assert () == Rows.of(products, [None, None]).photos
    assert [False, True] == Rows.of(products, [None, b"b"]).present[:, 2].tolist()


def test_texts_are_cleaned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows taken from, or hidden a part of, keep what was cleaned before."""
    some = _rows()
    assert ["thé", "", "vin"] == some.titles
    assert ["", "eau", ""] == some.descriptions
    for name in ("clean_title", "clean_description"):
        monkeypatch.delattr(module, name)

    for modality in MODALITIES:
        rest = some.take([2, 0]).without(modality)
        assert (["", ""] if modality == "title" else ["vin", "thé"]) == rest.titles
        assert ["", ""] == rest.descriptions
        assert modality not in np.array(MODALITIES)[rest.present.any(axis=0)].tolist()
    assert ["", "eau", ""] == some.in_memory().without("title").descriptions


def test_hiding_a_part_hides_it_from_rows_that_were_not_cleaned() -> None:
    """The order of the two does not matter."""
    assert (["", "", ""], ["", "eau", ""]) == (_rows().without("title").titles, _rows().without("title").descriptions)
    assert ["thé", "", "vin"] == _rows().without("description").titles


def test_photos_in_files_are_read_when_they_are_to_be_in_memory(tmp_path: Path) -> None:
    """Until then rows name them, in any order."""
    rows = Rows(["a", "b"], ["", ""], PhotoFiles([None, tmp_path / "absent.jpg"]))

    assert [True, False] == rows.take([1, 0]).present[:, 2].tolist()
    assert [None, None] == rows.in_memory().photos
