"""`aisle drift report`: two files in, a table, a page and JSON out."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.settings import load_settings
from model.drift.samples import sample
from scripts import drift

FRENCH = ("Théière en fonte rouge", "Lampe de bureau avec abat-jour", "Chaise pliante de jardin en bois")


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A directory without a champion, and no language to tell, which takes seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AISLE_DATA_DIR", str(tmp_path / "var"))
    load_settings.cache_clear()
    monkeypatch.setattr("model.reference.languages_of", lambda rows: ["fr"] * len(rows))
    yield
    load_settings.cache_clear()


def products(path: Path, rows: int, *, times: int = 1, category: str | None = "</script><script>alert(1)") -> Path:
    """A file of products whose titles are said so many times."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["title", "category"] if category else ["title"])
        for number in range(rows):
            title = " ".join([FRENCH[number % 3]] * times)
            writer.writerow([title, category if number % 2 else "teapots"] if category else [title])
    return path


def test_a_page_that_needs_no_network_and_figures_that_agree(tmp_path: Path) -> None:
    """Evidently finds the PSI that we do; its page may ask nobody for anything, and no category can end its script."""
    before, now = products(tmp_path / "before.csv", 300), products(tmp_path / "now.csv", 200, times=3)
    result = CliRunner().invoke(drift.command, ["report", str(before), str(now), "--no-model", "--json"])
    assert 0 == result.exit_code, result.output
    printed = json.loads(result.stdout)
    assert ["title length"] == printed["drifted"]
    assert {"title length", "description length", "photo", "language", "category"} == {
        column["name"] for column in printed["columns"]
    }
    told = json.loads((tmp_path / "drift" / "drift.json").read_text())["evidently"]["metrics"]
    by_evidently = {
        metric["config"]["column"]: metric["value"]
        for metric in told
        if metric["config"].get("method") == "psi" and "column" in metric["config"]
    }
    assert {column["name"]: pytest.approx(column["psi"]) for column in printed["columns"]} == by_evidently
    page = (tmp_path / "drift" / "drift.html").read_text()
    assert "default-src 'none'" in page[: page.index("<style>")]
    assert "<script src=" not in page
    assert "</script><script>alert(1)" not in page


def test_the_table_names_what_was_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without categories is compared by all else."""
    monkeypatch.setattr("model.drift.page.write_page", lambda *_: None)
    before, now = products(tmp_path / "before.csv", 60), products(tmp_path / "now.csv", 60, category=None)
    result = CliRunner().invoke(drift.command, ["report", str(before), str(now)])
    assert 0 == result.exit_code, result.output
    assert "compared without a model's answers" in result.stderr
    assert "category not compared: 60 values before and 0 now" in result.stdout
    assert "0 of 4 columns have drifted" in result.stdout


def test_files_too_small_to_compare_have_no_page(tmp_path: Path) -> None:
    """And that is said."""
    before, now = products(tmp_path / "before.csv", 9), products(tmp_path / "now.csv", 9)
    result = CliRunner().invoke(drift.command, ["report", str(before), str(now), "--no-model", "--json"])
    assert 0 == result.exit_code, result.output
    assert json.loads(result.stdout)["page"] is None
    assert not (tmp_path / "drift").exists()


def test_a_sample_is_the_same_each_time_and_another_with_another_seed(tmp_path: Path) -> None:
    """So that a report can be repeated."""
    path = products(tmp_path / "some.csv", 200)
    first, again, other = ([row.row for row in sample(path, rows=50, seed=seed)] for seed in (0, 0, 1))
    assert first == again != other
    assert 50 == len(set(first))
    assert max(first) > 100
