"""`aisle models compare`: two bundles side by side, on their own rows and on others."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from infra.settings import load_settings
from model.bundle import SEEN_KEYS, read_manifest
from model.compare import compare_bundles, compare_on
from model.data.labelled import LabelledData, load_labelled
from scripts.models import command
from tests.bundles import make_bundle

A, B = "20261121-120000-aaaaaa", "20261122-120000-bbbbbb"

pytestmark = pytest.mark.timeout(300)  # the first of these imports TensorFlow, on a busy machine too


@dataclass
class Says:
    """A model that answers each row with the category of its place."""

    codes: list[int]

    def answer(self, rows: Any) -> "Says":
        """As many as were asked."""
        self.probabilities = np.eye(2)[np.resize(self.codes, len(rows))]
        return self


@pytest.fixture
def bundles(tmp_path: Path) -> list[Path]:
    """Two bundles; the second is a little better."""
    better = {"weighted_f1": 0.85, "test_rows": 20.0}
    return [make_bundle(tmp_path / "models", A), make_bundle(tmp_path / "models", B, metrics=better)]


@pytest.fixture
def data(tmp_path: Path) -> LabelledData:
    """Forty soups and teas in turn, and then ten of each that the first model has learned."""
    titles = [f"{'mint tea' if number % 2 else 'pea soup'} {number} {'old' * (number >= 40)}" for number in range(60)]
    lines = [f"{title},{'teas' if number % 2 else 'soups'}" for number, title in enumerate(titles)]
    (tmp_path / "rows.csv").write_text("title,category\n" + "\n".join(lines), encoding="utf-8")
    return load_labelled(tmp_path / "rows.csv")


def test_both_models_are_asked_about_rows_that_neither_learned(
    bundles: list[Path], data: LabelledData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figures are paired, say what each category won or lost, and leave out what one of them knows."""
    np.save(bundles[0] / SEEN_KEYS, data.keys[40:])
    np.save(bundles[1] / SEEN_KEYS, data.keys[50:])
    said = {A: Says([0, 0]), B: Says([0, 1, 0, 0])}  # always soups; and every second tea found
    monkeypatch.setattr("model.classifier.load_cascade", lambda path: (read_manifest(path), said[path.name]))

    found = compare_on(bundles[0], bundles[1], data)
    assert found is not None
    assert (40, 20) == (found.comparison.rows, found.left_out)
    assert (0.5, 0.75) == (found.comparison.accuracy, found.comparison.own_accuracy)
    assert found.comparison.accuracy_difference.low > 0
    assert [("teas", 0.0, 0.5, 20), ("soups", 1.0, 1.0, 20)] == [
        (change.code, change.first, change.second, change.rows) for change in found.recalls
    ]


def test_without_a_row_that_is_new_to_both_there_is_nothing_to_say(bundles: list[Path], data: LabelledData) -> None:
    """A model that is asked about what it learned says nothing about itself."""
    for bundle in bundles:
        np.save(bundle / SEEN_KEYS, data.keys)
    assert compare_on(bundles[0], bundles[1], data) is None


def test_manifests_are_compared_without_loading_a_model(bundles: list[Path]) -> None:
    """And nobody takes the figures of two test sides for those of one."""
    found = compare_bundles(bundles[0], bundles[1])
    assert (A, B) == (found.first.version, found.second.version)
    assert pytest.approx(0.05) == found.second.metrics["weighted_f1"] - found.first.metrics["weighted_f1"]
    assert not found.same_rows


def test_the_command_fits_a_terminal(bundles: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """80 columns, from beginnings of versions, without a broker and a store."""
    assert bundles
    monkeypatch.setenv("AISLE_DATA_DIR", str(tmp_path))
    for name in ("AISLE_KAFKA_BOOTSTRAP", "AISLE_MONGODB_URI"):
        monkeypatch.delenv(name, raising=False)
    load_settings.cache_clear()
    done = CliRunner().invoke(command, ["compare", "20261121", "20261122"], catch_exceptions=False)
    load_settings.cache_clear()

    assert 0 == done.exit_code
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "0.8000                 0.8500        +0.0500" in done.stdout
    assert "nothing of the shadow" in done.stderr
