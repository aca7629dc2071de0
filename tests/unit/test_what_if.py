"""What would change with another model: the figures, their page and their rows."""

import csv
from pathlib import Path

import numpy as np
import pytest

from model.report.what_if_page import histogram, what_if_page
from model.what_if import BINS, Compared, report_of
from scripts.replay_compare import _write_rows, shown
from workers.replays import Comparison

CODES = np.array(["soups", "teas", "jams", "nuts"])


def random_pairs(count: int, seed: int) -> list[Compared]:
    """Two models that mostly agree; people have judged a third of the products."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(0, 4, count)
    said = [np.where(chance.random(count) < share, truth, chance.integers(0, 4, count)) for share in (0.7, 0.8)]
    sure = chance.random((2, count))
    judged = chance.random(count) < 1 / 3
    return [
        Compared(
            event_id=f"{number:05d}",
            product_id=f"p{number}",
            title=None if number % 7 == 0 else f"=SUM({number})<b>",
            before=str(CODES[said[0][number]]),
            after=str(CODES[said[1][number]]),
            sure=float(sure[0, number]),
            after_sure=float(sure[1, number]),
            truth=str(CODES[truth[number]]) if judged[number] else None,
        )
        for number in range(count)
    ]


def test_figures_are_those_of_the_rows() -> None:
    """Computed anew, row by row, for 10,000 products."""
    rows = random_pairs(10_000, seed=3)
    report = report_of("a", "b", rows)
    assert report is not None
    before, after = np.array([one.before for one in rows]), np.array([one.after for one in rows])
    truth = np.array([one.truth or "" for one in rows])
    known = truth != ""
    assert 10_000 == report.products
    assert pytest.approx(np.mean(before == after)) == report.agreement
    assert report.judged is not None
    assert pytest.approx(np.mean((before == truth)[known])) == report.judged.champion_accuracy
    assert pytest.approx(np.mean((after == truth)[known])) == report.judged.challenger_accuracy
    assert report.judged.challenger_only == np.sum(known & (after == truth) & (before != truth))
    assert pytest.approx(np.mean([one.after_sure for one in rows])) == report.after_sure
    for flow in report.flows:
        mine = (before == flow.before) & (after == flow.after)
        assert flow.products == mine.sum()
        assert (flow.right, flow.wrong) == ((mine & (truth == after)).sum(), (mine & (truth == before)).sum())
    assert sum(flow.products for flow in report.flows) == np.sum(before != after)
    for change in report.categories:
        of_it = truth == change.code
        assert change.after - change.before == change.gained - change.lost
        assert pytest.approx(np.mean((after == truth)[of_it])) == change.recall_after
    assert [BINS, 10_000, 10_000] == [len(report.confidence), *np.sum(report.confidence, axis=0)]


def test_what_is_worth_most_comes_first() -> None:
    """Both sure and nobody has said; then the less sure; then what was judged."""
    rows = [
        Compared("1", "1", None, "a", "b", 0.9, 0.5),
        Compared("2", "2", None, "a", "b", 0.8, 0.8),
        Compared("3", "3", None, "a", "b", 0.9, 0.9, "a"),
        Compared("4", "4", None, "a", "a", 1.0, 1.0),
    ]
    report = report_of("x", "y", rows)
    assert report is not None
    assert ["2", "1", "3"] == [one.event_id for one in report.disagreements]
    assert report_of("x", "y", []) is None


def test_the_page_shows_texts_as_texts(tmp_path: Path) -> None:
    """Titles run nowhere: not on the page, not in a spreadsheet; a terminal's lines fit 80 columns."""
    rows = random_pairs(500, seed=4)
    report = report_of("a", "b", rows)
    assert report is not None
    labels = {"soups": "<script>alert(1)</script>", "teas": "T" * 100}
    page = what_if_page(report, labels, "r-1")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    drawn = histogram(report)
    assert 2 * BINS + 2 == len(drawn.before.split()) == len(drawn.after.split())
    found = Comparison(["a"], "b", rows, labels, unanswered=3, by_people=2)
    assert all(len(line) <= 80 for line in shown(report, found))
    _write_rows(tmp_path / "rows.csv", found)
    with (tmp_path / "rows.csv").open(newline="", encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    assert [one.event_id for one in rows] == [row["event_id"] for row in written]
    assert not any(cell.startswith("=") for row in written for cell in row.values())
    assert written[0]["truth"] == (rows[0].truth or "")


def test_the_same_answers_change_nothing() -> None:
    """A page without flows says so."""
    report = report_of("a", "a", [Compared("1", "1", "x", "a", "a", 0.5, 0.5)])
    assert report is not None
    assert "Every product would stay where it is." in what_if_page(report, {}, "r")
