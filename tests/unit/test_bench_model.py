"""The model's bench: how data is cut for it, and what its tables say."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.course import Course
from model.data.split import Split
from tests.bench.model_report import markdown
from tests.bench.model_sets import cases, thinned


def test_fewer_rows_to_learn_from_leave_every_class_and_the_rows_that_measure() -> None:
    """A learning curve changes the training side alone, and a class of two rows keeps both."""
    truth = np.repeat([0, 1, 2], [100, 40, 2])
    course = Course(
        None,  # type: ignore[arg-type] # the data are not looked at
        Split(np.arange(142), np.arange(0), np.arange(5)),
        ["a", "b", "c"],
        truth,
        np.arange(5),
        [0.7, 0.28, 0.02],
    )
    some = thinned(course, 0.05)

    assert [5, 2, 2] == np.bincount(truth[some.split.seen]).tolist()
    assert course.split.test.tolist() == some.split.test.tolist()
    assert pytest.approx([5 / 9, 2 / 9, 2 / 9]) == some.prior
    assert course is thinned(course, 1)


def test_the_grocery_photos_keep_the_sides_that_their_authors_gave(tmp_path: Path) -> None:
    """Photos without texts on the given sides; beside texts each comes twice, the second time without its photo."""
    alone = cases(tmp_path)["grocery photos, 43 categories"].course(0, 1)
    pairs = cases(tmp_path)["grocery photos beside unsure texts, 43 categories"].course(0, 1)

    assert (645, 344, 43) == (len(alone.split.seen), len(alone.test), len(alone.classes))
    assert [0.0, 0.0, 1.0] == alone.data.rows.present.mean(axis=0).tolist()
    assert not set(alone.data.keys[alone.split.seen]) & set(alone.data.keys[alone.test])
    assert (1_290, 688) == (len(pairs.split.seen), len(pairs.test))
    assert pytest.approx(0.5) == pairs.data.rows.present[:, 2].mean()


def test_the_table_has_what_aisle_gains_in_the_same_split(tmp_path: Path) -> None:
    """Differences are paired by split: a hard split does not blur them."""
    runs = [_run(seed, ours, ours - gain) for seed, (ours, gain) in enumerate([(0.9, 0.01), (0.5, 0.02), (0.7, 0.03)])]
    text = markdown(_result(runs), tmp_path / "plot.png")

    assert "| aisle | 0.7000 | 0.7000 | +0.0200 ± 0.0058 |" in text
    assert "| TF-IDF | 0.6800 | 0.6800 | +0.0000 ± 0.0000 |" in text
    assert "ECE 0.133 over all splits' rows (0.020 in one)" in text
    assert (tmp_path / "plot.png").stat().st_size > 10_000


def test_a_slice_of_few_rows_is_left_out(tmp_path: Path) -> None:
    """Its figures would say little."""
    wide, narrow = (
        {"slice": name, "rows": rows, "aisle": 0.9, "text": 0.8} for name, rows in (("wide", 300), ("narrow", 299))
    )
    text = markdown(_result([_run(0, 0.9, 0.8) | {"fusion": [wide, narrow]}]), tmp_path / "plot.png")

    assert "| wide | 300 | 0.9000 | 0.8000 |" in text
    assert "narrow" not in text


def _run(seed: int, ours: float, other: float) -> dict[str, Any]:
    lines = [_line("aisle", ours, 200.0), _line("TF-IDF", other, 100.0)]
    lines[0] |= {"peak_mb": 900.0, "ece": 0.02, "accepted_share": 0.8, "accepted_precision": 0.95}
    lines[0] |= {"confidence": [0.9, 0.5], "right": [True, seed > 0]}
    run = {"case": "foods", "seed": seed, "share": 1.0, "train": 80, "test": 20, "classes": 2, "stages": ["text"]}
    return run | {"tried": [], "lines": lines, "fusion": []}


def _line(name: str, score: float, speed: float) -> dict[str, Any]:
    scores = dict.fromkeys(("accuracy", "weighted_f1", "macro_f1"), score)
    return {"model": name, "took_s": 1.0, "rows_per_s": speed, **scores}


def _result(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {"at": "2026-01-01", "cores": 2, "machine": "Linux", "python": "3.11", "load": 0.1, "runs": runs}
