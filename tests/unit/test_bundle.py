"""Bundles: whole or not there, checked when read."""

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def _change_a_byte(bundle: Path) -> None:
    content = bytearray((bundle / "text" / "saved_model.pb").read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / "text" / "saved_model.pb").write_bytes(content)


def _lose_a_file(bundle: Path) -> None:
    (bundle / SEEN_KEYS).unlink()


def _say(bundle: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change what the manifest says."""
    manifest = json.loads((bundle / MANIFEST).read_bytes())
    change(manifest)
    (bundle / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def _come_from_the_future(bundle: Path) -> None:
    _say(bundle, lambda manifest: manifest.update(format=999))


def _rename_a_label(bundle: Path) -> None:
    _say(bundle, lambda manifest: manifest["categories"][3]["labels"].update({"": "another"}))


def _name_another_taxonomy(bundle: Path) -> None:
    _say(bundle, lambda manifest: manifest.update(taxonomy_sha256="0" * 64))


def _lose_a_label(bundle: Path) -> None:
    _say(bundle, lambda manifest: manifest["categories"].pop())


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_change_a_byte, r"The file text/saved_model\.pb .* is not what was written"),
        (_lose_a_file, f"lacks its file {SEEN_KEYS}"),
        (_come_from_the_future, r"manifest\.json cannot be used: format: Input should be"),
        (_rename_a_label, r"does not match its taxonomy: the labels of '.+' are others"),
        (_name_another_taxonomy, r"does not match its taxonomy: it is another one"),
        (_lose_a_label, r"names 10 categories, and its networks answer with another number"),
    ],
)
def test_a_bundle_that_is_not_what_it_was_is_refused(damage: Callable[[Path], None], reason: str, copied: Path) -> None:
    """With the reason, before any network is loaded."""
    verify(copied)
    damage(copied)

    with pytest.raises(BundleInvalid, match=reason):
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
