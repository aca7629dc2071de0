"""The champion's pointer."""

import shutil
from pathlib import Path

import pytest

from model.champion import POINTER, find_bundle, keep, promote, read_champion
from model.errors import BundleInvalid, NoChampion
from tests.bundles import make_bundle


@pytest.fixture
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle in a folder of its own."""
    return make_bundle(tmp_path_factory.mktemp("models"), "20261121-120000-aaaaaa")


def test_a_promotion_is_the_state_that_is_read(bundle: Path, tmp_path: Path) -> None:
    """Sequence and previous version tell the history, one step at a time."""
    assert read_champion(tmp_path) is None
    first = promote(tmp_path, bundle, by="a person", why="the first")
    second = promote(tmp_path, bundle, by="a person", why="again")

    assert (1, None) == (first.sequence, first.previous)
    assert (2, bundle.name) == (second.sequence, second.previous)
    assert second == read_champion(tmp_path)
    assert [POINTER] == [path.name for path in tmp_path.iterdir()]


def test_the_champion_is_found_and_a_named_bundle_wins(bundle: Path, tmp_path: Path) -> None:
    """A moved data directory still finds its bundles."""
    promote(tmp_path, bundle, by="a person", why="test")
    assert bundle == find_bundle(None, tmp_path)
    shutil.copytree(bundle, tmp_path / bundle.name)

    assert tmp_path / bundle.name == find_bundle(None, tmp_path)
    assert tmp_path / "other" == find_bundle(tmp_path / "other", tmp_path)


def test_a_bundle_that_is_not_what_was_promoted_is_refused(bundle: Path, tmp_path: Path) -> None:
    """Its manifest holds the hash of every file, and the promotion that of the manifest."""
    promote(tmp_path, bundle, by="a person", why="test")
    shutil.copytree(bundle, tmp_path / bundle.name)
    manifest = tmp_path / bundle.name / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_bytes(manifest.read_bytes() + b"\n")

    for _ in ("changed", "gone"):
        with pytest.raises(BundleInvalid, match=f"not that of the champion {bundle.name}"):
            find_bundle(None, tmp_path)
        manifest.unlink(missing_ok=True)


def test_a_decision_for_a_bundle_elsewhere_is_no_path_here(bundle: Path, tmp_path: Path) -> None:
    """A uri of another machine or of an object store is not taken for a directory of this one."""
    event = promote(tmp_path, bundle, by="a person", why="test")
    for uri in (f"s3:/{bundle}", f"file://host{bundle}"):
        keep(tmp_path, event.model_copy(update={"bundle_uri": uri}))
        with pytest.raises(NoChampion, match="is gone from"):
            find_bundle(None, tmp_path)


def test_no_champion_says_how_to_get_one(tmp_path: Path) -> None:
    """The hint is the command."""
    with pytest.raises(NoChampion, match="aisle train DATA"):
        find_bundle(None, tmp_path)


def test_a_damaged_bundle_is_never_promoted(bundle: Path, tmp_path: Path) -> None:
    """The pointer stays as it was."""
    with pytest.raises(BundleInvalid):
        promote(tmp_path, bundle / "text", by="a person", why="test")
    assert read_champion(tmp_path) is None


def test_a_broken_pointer_is_named(tmp_path: Path) -> None:
    """Half a record is an error with the file's name, not a missing champion."""
    (tmp_path / POINTER).write_text("{", encoding="utf-8")

    with pytest.raises(BundleInvalid, match=POINTER):
        read_champion(tmp_path)
