"""Bundles: whole or not there, checked when read."""

import errno
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from model.bundle import MANIFEST, SEEN_KEYS, read_manifest, staging, verify
from model.errors import BundleInvalid, GoldenMismatch

pytestmark = pytest.mark.timeout(300)  # the first of these imports TensorFlow, on a busy machine too


@pytest.fixture
def copied(bundle: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    copy = tmp_path / bundle.name
    shutil.copytree(bundle, copy)
    for path in copy.rglob("*"):
        path.chmod(0o755)
    return copy


def test_a_bundle_is_named_by_time_and_content(bundle: Path) -> None:
    """Versions sort by time, and the directory is the version."""
    manifest = read_manifest(bundle)

    assert bundle.name == manifest.version
    assert f"{manifest.created_at:%Y%m%d-%H%M%S}" == manifest.version[:15]


def test_the_manifest_names_every_file(bundle: Path) -> None:
    """What is not in the manifest is not in the bundle."""
    found = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}

    assert found - {MANIFEST} == set(read_manifest(bundle).files)
    assert {"report/report.json", "report/report.html", "report/model-card.md"} <= found


def test_a_whole_bundle_verifies(bundle: Path) -> None:
    """An untouched bundle is accepted."""
    assert 11 == len(verify(bundle).categories)


def test_a_changed_file_is_found(copied: Path) -> None:
    """One byte more, and the bundle is refused by the file's name."""
    with (copied / SEEN_KEYS).open("ab") as file:
        file.write(b"x")

    with pytest.raises(BundleInvalid, match=f"{SEEN_KEYS} .* is not what was written"):
        verify(copied)


def test_a_missing_file_is_found(copied: Path) -> None:
    """A half-copied bundle is refused."""
    (copied / "text" / "saved_model.pb").unlink()

    with pytest.raises(BundleInvalid, match=r"lacks its file text/saved_model\.pb"):
        verify(copied)


def test_no_bundle_is_told_from_a_bad_one(copied: Path, tmp_path: Path) -> None:
    """A wrong path, a directory that is none, and a broken manifest each have their message."""
    with pytest.raises(BundleInvalid, match="does not exist"):
        read_manifest(tmp_path / "nope")
    with pytest.raises(BundleInvalid, match="it is no bundle"):
        read_manifest(tmp_path)
    (copied / MANIFEST).write_text('{"format": 1}', encoding="utf-8")
    with pytest.raises(BundleInvalid, match="format"):
        read_manifest(copied)


def test_another_answer_to_a_golden_input_is_refused(copied: Path) -> None:
    """A network that computes something else does not go into service."""
    from model.classifier import Classifier

    manifest = json.loads((copied / MANIFEST).read_text(encoding="utf-8"))
    manifest["golden"][0]["probabilities"]["text"][0] += 0.01
    (copied / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")

    with pytest.raises(GoldenMismatch, match="Stage text of the bundle"):
        Classifier.load(copied)


def test_keys_of_the_rows_learned_from_are_kept(bundle: Path) -> None:
    """As many as there are training rows, at most: twins share one."""
    facts = read_manifest(bundle).data

    assert 0 < len(np.load(bundle / SEEN_KEYS)) <= facts.train
    assert facts.rows == facts.train + facts.test


def test_nothing_half_made_remains(tmp_path: Path) -> None:
    """A full disk in the middle leaves the models directory as it was."""

    def fail() -> None:
        with staging(tmp_path / "models") as path:
            (path / "half").write_text("made", encoding="utf-8")
            raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert [] == list((tmp_path / "models").iterdir())
