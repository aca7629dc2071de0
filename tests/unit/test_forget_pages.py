"""The pages of what-if replays that `aisle data forget` removes: all that may show the product."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from infra.settings import load_settings
from scripts import replay_compare
from scripts.forget_run import pages_with
from streams.replay.checkpoint import Replay, Replays
from tests.unit.test_what_if import random_pairs
from workers.replays import Comparison

ROWS = {
    "none": None,
    "cut": "event_id,product_id\ne",
    "others": "event_id,product_id\ne,tree\n",
    "it": "product_id\n'=x\n",
}


def test_pages_of_which_nobody_knows_what_they_show_are_found(tmp_path: Path) -> None:
    """One that shows it, one without its rows, one whose rows were cut off; not one that shows others."""
    for name, rows in ROWS.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "what-if.html").write_text("<p>", encoding="utf-8")
        if rows is not None:
            (tmp_path / name / "what-if.csv").write_text(rows, encoding="utf-8")
    found = sorted(page.relative_to(tmp_path).as_posix() for page in pages_with(tmp_path, {"=x"}))
    assert ["cut/what-if.csv", "cut/what-if.html", "it/what-if.csv", "it/what-if.html", "none/what-if.html"] == found


def test_no_page_is_there_without_all_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the rows is found what a page shows: cut off among them, a comparison leaves no page, nor a former one."""
    replay = Replay.new({}, None, 1, {})
    Replays(tmp_path).write(replay)
    page = tmp_path / "replays" / replay.id / "what-if.html"
    page.parent.mkdir()
    page.write_text("of before", encoding="utf-8")

    async def compared(*_: str) -> Comparison:
        return Comparison(["1"], "2", random_pairs(100, seed=1), {})

    def full_disk(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(replay_compare, "_compared", compared)
    monkeypatch.setattr(replay_compare, "_write_rows", full_disk)
    monkeypatch.setenv("AISLE_DATA_DIR", str(tmp_path))
    load_settings.cache_clear()
    done = CliRunner().invoke(replay_compare.compare, [replay.id])
    load_settings.cache_clear()

    assert isinstance(done.exception, OSError)
    assert not page.exists()
