"""Which categories people may name: those that were set, else the champion's, whoever that is by now."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.settings import Settings
from model import shelves
from model.errors import CodeUnknown, NoChampion
from model.shelves import TaxonomyInForce, check_code, shelves_of
from schemas.prediction import Category
from schemas.taxonomy import Shelf, Taxonomy

TEAS = Taxonomy((Shelf("teas", {"en": "Teas", "fr": "Thés"}, {"en": "Drinks"}),))
JAMS = Taxonomy((Shelf("jams", {"": "Jams"}),))


def test_the_champions_taxonomy_counts_from_its_promotion_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a model any code is taken; each new champion is noticed, and read once."""
    read: list[Taxonomy] = []
    champion: Any = None

    def read_manifest(_bundle: Path) -> Any:
        if champion is None:
            raise NoChampion("none")
        read.append(champion)
        return SimpleNamespace(taxonomy=champion)

    monkeypatch.setattr(shelves, "read_manifest", read_manifest)
    monkeypatch.setattr(shelves, "find_bundle", lambda _model, models_dir: models_dir)
    taxonomy = TaxonomyInForce(Settings(data_dir=tmp_path))
    assert None is taxonomy.now()
    pointer = tmp_path / "models" / "champion.json"
    pointer.parent.mkdir()
    for number, champion in enumerate((TEAS, JAMS)):
        pointer.write_text(str(number))
        os.utime(pointer, ns=(number + 1, number + 1))
        assert champion == taxonomy.now() == taxonomy.now()
    assert [TEAS, JAMS] == read


def test_a_taxonomy_that_is_set_goes_first(tmp_path: Path) -> None:
    """It may hold categories that no model knows yet: a worker answers with them too, in its own language."""
    path = tmp_path / "taxonomy.csv"
    path.write_text("code,label_en,label_fr\nteas,Teas,Thés\nnew,New,Nouveau\n", encoding="utf-8")
    settings = Settings(taxonomy=path, data_dir=tmp_path, language="fr")
    taxonomy = TaxonomyInForce(settings).now()
    assert taxonomy is not None
    assert ("teas", "new") == taxonomy.codes

    entry = SimpleNamespace(code="jams", category=lambda _language: Category(code="jams", label="Confitures"))
    manifest: Any = SimpleNamespace(categories=[entry])
    assert {"teas": "Thés", "new": "Nouveau", "jams": "Confitures"} == {
        code: shelf.label for code, shelf in shelves_of(settings, manifest).items()
    }
    assert ["jams"] == list(shelves_of(Settings(), manifest))


def test_a_code_stands_for_its_label_or_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was dropped from the taxonomy after a person named it has no other name."""
    taxonomy = TaxonomyInForce(Settings(data_dir=tmp_path, language="fr"))
    monkeypatch.setattr(taxonomy, "_set", TEAS)
    assert Category(code="teas", label="Thés", theme="Drinks") == taxonomy.category("teas")
    assert Category(code="old", label="old") == taxonomy.category("old")


def test_a_code_that_is_none_is_refused_with_the_nearest() -> None:
    """No code, or no taxonomy, is nothing to refuse."""
    for code, known in ((None, TEAS), ("any", None), ("teas", TEAS)):
        check_code(code, known)
    with pytest.raises(CodeUnknown, match=r"'tees' is none of the 1 codes of the taxonomy\. Do you mean teas\?"):
        check_code("tees", TEAS)
