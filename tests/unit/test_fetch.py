"""Where a decision's bundle comes from: here, or a checked copy of what an object store has."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from model import fetch
from model.champion import keep
from model.errors import BundleInvalid, BundleUnavailable
from model.fetch import fetch_bundle
from schemas.model_event import ModelEvent
from tests.bundles import decided, make_bundle


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[ModelEvent]:
    """A decision for a bundle that only an object store has."""
    bundle = make_bundle(tmp_path / "made", "v1")
    files = fsspec.filesystem("memory")
    for path in bundle.rglob("*"):
        if path.is_file():
            files.pipe(f"/bucket/v1/{path.relative_to(bundle)}", path.read_bytes())
    yield decided(bundle, bundle_uri="memory://bucket/v1")
    files.rm("/bucket", recursive=True)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder of bundles, empty yet."""
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


def test_what_lies_here_is_used_where_it_is(tmp_path: Path) -> None:
    """Below the folder of bundles by its version, else at the uri; in both places it has to be what was decided for."""
    bundle = make_bundle(tmp_path / "made", "v1")
    event = decided(bundle)
    assert bundle == fetch_bundle(event, tmp_path / "here")
    moved = shutil.copytree(bundle, tmp_path / "here" / "v1")
    assert moved == fetch_bundle(event, tmp_path / "here")
    (moved / "manifest.json").write_text("{}")
    with pytest.raises(BundleInvalid, match="not that of the champion v1"):
        fetch_bundle(event, tmp_path / "here")


def test_an_object_stores_bundle_is_copied_once_and_whole(stored: ModelEvent, here: Path) -> None:
    """What remains is the bundle alone, for reading only; the next time it lies here."""
    bundle = fetch_bundle(stored, here)
    assert here / "v1" == bundle
    assert "v1" == (bundle / "text" / "weights").read_text()
    assert 0o444 == (bundle / "text" / "weights").stat().st_mode & 0o777
    assert [bundle] == list(here.iterdir())
    fsspec.filesystem("memory").rm("/bucket/v1/manifest.json")
    assert bundle == fetch_bundle(stored, here)


def test_a_copy_that_another_worker_made_meanwhile_is_as_good(
    stored: ModelEvent, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several workers of a machine share the folder."""
    other = fetch_bundle(stored, here)
    with monkeypatch.context() as patch:
        patch.setattr(fetch, "beside", lambda _event, _models_dir: None)
        assert other == fetch_bundle(stored, here)
    assert [other] == list(here.iterdir())


@pytest.mark.parametrize(
    ("path", "content", "why"),
    [
        ("text/weights", b"other", "is not what was written"),
        ("manifest.json", b"{}", "not that of the champion"),
        ("text/weights", None, "cannot be copied: FileNotFoundError"),
        ("manifest.json", None, "cannot be copied: FileNotFoundError"),
    ],
)
def test_what_the_store_has_wrong_leaves_nothing_behind(
    stored: ModelEvent, here: Path, path: str, content: bytes | None, why: str
) -> None:
    """No half bundle is ever in place."""
    files = fsspec.filesystem("memory")
    if content is None:
        files.rm(f"/bucket/v1/{path}")
    else:
        files.pipe(f"/bucket/v1/{path}", content)
    with pytest.raises((BundleInvalid, BundleUnavailable), match=why):
        fetch_bundle(stored, here)
    assert [] == list(here.iterdir())


@pytest.mark.parametrize("name", ["../escape", "/etc/escape", "a/../../escape", "a\\..\\escape"])
def test_no_file_is_written_outside_the_bundle(tmp_path: Path, here: Path, name: str) -> None:
    """Whatever a manifest says, and whoever decided for it."""
    bundle = make_bundle(tmp_path / "made", "v1", files={name: "0"})
    fsspec.filesystem("memory").pipe("/bucket/v1/manifest.json", (bundle / "manifest.json").read_bytes())
    event = decided_unchecked(tmp_path, bundle)
    with pytest.raises(BundleInvalid, match="names a file outside"):
        fetch_bundle(event, here)
    assert [] == list(here.iterdir())


def decided_unchecked(folder: Path, bundle: Path) -> ModelEvent:
    """A decision that nobody of ours would make."""
    from model.bundle import manifest_sha256

    honest = decided(make_bundle(folder / "honest", bundle.name))
    return honest.model_copy(update={"bundle_uri": "memory://bucket/v1", "sha256": manifest_sha256(bundle)})


@pytest.mark.parametrize("uri", ["http://host/v1", "v1", "memory://a::file:///etc", "file://host/v1", "simplecache::x"])
def test_only_known_places_are_copied_from(tmp_path: Path, here: Path, uri: str) -> None:
    """A decision names a directory of this machine, or an object store."""
    event = decided(make_bundle(tmp_path / "made", "v1"), bundle_uri=uri)
    with pytest.raises(BundleUnavailable, match="names no place"):
        fetch_bundle(event, here)


def test_a_bundle_that_is_nowhere_says_where_it_was_looked_for(tmp_path: Path, here: Path) -> None:
    """Both places."""
    bundle = make_bundle(tmp_path / "made", "v1")
    event = decided(bundle)
    keep(here, event)
    shutil.rmtree(bundle)
    with pytest.raises(BundleUnavailable, match=r"neither in .*here nor at file:///.*made/v1"):
        fetch_bundle(event, here)
