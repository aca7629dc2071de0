"""A training that is stopped goes on where it was, and ends where it would have ended."""

import random
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.checkpoint import Checkpoint
from model.data.labelled import LabelledData, load_labelled
from model.errors import TrainingRuns
from model.held_out import Examples, Fold, held_out
from model.kinds import Kind
from model.parameters import TrainOptions, parameters
from model.resuming import Resumable, key_of
from model.rows import Rows
from schemas.prediction import Modality


@dataclass
class Fitter:
    """Fits stages that answer by chance, and ends the process in one of its fits."""

    ends_at: int | None = None
    fits: list[int] = field(default_factory=list)

    def __call__(self, rows: Rows, truth: Any, classes: int, *, seed: int, progress: Any) -> "Drawn":
        """A stage that depends on what it was fitted on."""
        progress(0.5)
        if len(self.fits) == self.ends_at:
            raise KeyboardInterrupt
        self.fits.append(len(rows))
        return Drawn(seed + int(truth.sum()), classes)


@dataclass
class Drawn:
    """A stage."""

    seed: int
    classes: int
    name: str = "text"
    reads: frozenset[Modality] = frozenset({"title", "description"})

    def log_probabilities(self, rows: Rows) -> Any:
        """Drawn by chance."""
        chance = np.random.default_rng(self.seed).random((len(rows), self.classes)).astype(np.float32)
        return np.log(chance / chance.sum(axis=1, keepdims=True))

    def save(self, path: Path) -> None:
        """A directory with a file."""
        path.mkdir()
        (path / "seed").write_text(str(self.seed), encoding="utf-8")


@pytest.fixture
def data(tmp_path: Path) -> LabelledData:
    """Some titles, every other one with a description."""
    lines = [f"t{n},{'d' if n % 2 else ''},{'ab'[n % 3 > 1]}" for n in range(40)]
    (tmp_path / "data.csv").write_text("title,description,category\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return load_labelled(tmp_path / "data.csv")


def _run(data: LabelledData, root: Path, fitter: Fitter) -> tuple[dict[Any, Any], str]:
    """What is held out of five folds, and the stage that is fitted on all rows."""
    truth = np.array([code == "b" for code in data.codes.tolist()]).astype(np.int64)
    kind, every = Kind("text", frozenset({"title", "description"}), fitter), np.arange(len(data))
    with Checkpoint.open(root, data, TrainOptions()) as checkpoint:
        examples = Resumable.of(Examples(data.rows, truth, 2, 0), checkpoint)
        folds = [Fold(every[every % 5 != part], every[every % 5 == part]) for part in range(5)]
        answers = held_out([kind], examples, folds, lambda _: None).answers
        into = root.parent / f"stage-{random.getrandbits(60):x}"
        checkpoint.stage(key_of(kind, every), into, examples.fit(kind, every, lambda _: None).save)
    return answers, (into / "seed").read_text(encoding="utf-8")


@pytest.mark.parametrize("ends_at", [0, 1, 3, 5])
def test_nothing_is_done_twice_and_nothing_differs(data: LabelledData, tmp_path: Path, ends_at: int) -> None:
    """Stopped in any fit, the training makes only the fits that are missing, and has the same answers and stage."""
    whole = Fitter()
    expected = _run(data, tmp_path / "one", whole)
    first, second = Fitter(ends_at), Fitter()
    with pytest.raises(KeyboardInterrupt):
        _run(data, tmp_path / "two", first)
    assert 1 == len(list((tmp_path / "two").iterdir()))
    resumed = _run(data, tmp_path / "two", second)

    assert whole.fits == first.fits + second.fits
    assert expected[1] == resumed[1]
    for key, answers in expected[0].items():
        np.testing.assert_array_equal(answers, resumed[0][key])


def test_the_end_clears_up(data: LabelledData, tmp_path: Path) -> None:
    """Good or bad; only a stop leaves something to go on with."""
    for error in (None, ValueError, KeyboardInterrupt, SystemExit):
        checkpoint = Checkpoint.open(tmp_path / "kept", data, TrainOptions())
        checkpoint.keep("text-0", 0, np.zeros((1, 2), np.float32))
        checkpoint.__exit__(error, None, None)
        assert (error in {KeyboardInterrupt, SystemExit}) == bool(list((tmp_path / "kept").glob("*")))


def test_one_process_has_it_at_a_time(data: LabelledData, tmp_path: Path) -> None:
    """Two that train the same would write the same files; the second is told, and goes on after the first."""
    with Checkpoint.open(tmp_path, data, TrainOptions()) as first:
        with pytest.raises(TrainingRuns, match="in another process"):
            Checkpoint.open(tmp_path, data, TrainOptions()).__enter__()
        first.keep("text-0", 0, np.zeros((1, 2), np.float32))
        assert 1 == first.finished
    with Checkpoint.open(tmp_path, data, TrainOptions()) as second:
        assert 0 == second.finished


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"options": {"seed": 1}}, "parameters"),
        ({"options": {"stages": {"photos": False}}}, "parameters"),
        ({"code": "another"}, "code"),
        ({"row": "another title"}, "data"),
    ],
)
def test_a_stale_checkpoint_is_named_and_not_used(
    change: dict[str, Any], differs: str, data: LabelledData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says what is another one."""
    old = Checkpoint.open(tmp_path / "kept", data, TrainOptions())
    old.keep("text-0", 0, np.zeros((1, 2), np.float32))
    if "code" in change:
        monkeypatch.setattr("model.checkpoint._of_code", lambda: change["code"])
    if "row" in change:
        data = replace(data, rows=Rows([change["row"], *data.rows.raw_titles[1:]], data.rows.raw_descriptions))

    new = Checkpoint.open(tmp_path / "kept", data, parameters(change.get("options", {})))

    assert (1, 0) == (old.finished, new.finished)
    assert 1 == len(new.stale)
    assert f"its {differs} differ" in new.stale[0]


def test_what_no_fit_depends_on_may_change(data: LabelledData, tmp_path: Path) -> None:
    """Another name or precision finds the fits that are done."""
    Checkpoint.open(tmp_path, data, TrainOptions()).keep("text-0", 0, np.zeros((1, 2), np.float32))

    assert 1 == Checkpoint.open(tmp_path, data, TrainOptions(name="other", auto_accept_precision=0.9)).finished


def test_a_half_written_fit_is_none(data: LabelledData, tmp_path: Path) -> None:
    """What was killed while it was written is written again."""
    checkpoint = Checkpoint.open(tmp_path / "kept", data, TrainOptions())

    def torn(path: Path) -> None:
        path.mkdir()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        checkpoint.stage("text-0", tmp_path / "a", torn)
    (next((tmp_path / "kept").iterdir()) / ".text-0.stage").mkdir()
    checkpoint.stage("text-0", tmp_path / "b", Drawn(3, 2).save)

    assert 1 == checkpoint.finished
