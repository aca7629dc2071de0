"""The report of a training, made with stages that are no networks."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner

from model.bundle import DataFacts, Manifest, StageFacts
from model.cascade import PRIOR, Answers
from model.data.labelled import load_labelled
from model.evaluation import evaluate
from model.report.schema import TrainingReport
from model.report.speed import rows_per_s
from model.report.training import report_training
from model.rows import Rows
from schemas.prediction import Modality
from scripts.invocation import invocation


@dataclass
class Even:
    """A stage that gives every class the same, and remembers how many rows it was asked about."""

    name: str
    reads: frozenset[Modality]
    asked: int = 0

    def log_probabilities(self, rows: Rows) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Log of 1/2, twice."""
        assert rows.present[:, 0].all()
        self.asked += len(rows)
        return np.full((len(rows), 2), np.log(0.5), np.float32)


@pytest.fixture
def report(tmp_path: Path) -> TrainingReport:
    """Of a cascade with one stage kept and one left out, of whose rows the last reached no stage."""
    path = tmp_path / "data.csv"
    path.write_text("title,description,category\n" + "\n".join(f"t{n},,{'ab'[n % 2]}" for n in range(6)) + "\n,x,a\n")
    data = load_labelled(path)
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "weights").write_bytes(bytes(1_000))
    test, truth = np.array([0, 1, 6]), np.array([0, 1, 0, 1, 0, 1, 0])
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4]], np.float32)
    construct: Any = Manifest.model_construct
    manifest: Manifest = construct(
        name="shelf",
        version="",
        created_at=datetime(2026, 11, 21, tzinfo=UTC),
        seed=3,
        auto_accept_precision=0.95,
        stages=["text"],
        tried=[
            StageFacts(name="text", kept=True, why="It reads every row.", accuracy=0.7),
            StageFacts(name="image", kept=False, why="It wins nothing.", accuracy=0.2, share=0.3),
        ],
        categories=[None] * 2,
        prior=[0.5, 0.5],
        data=DataFacts.model_construct(file="data.csv", sha256="0" * 64, rows=7, train=4, test=3, skipped=0),
        libraries={},
    )
    cascade: Any = type("Cascade", (), {"stages": [Even("text", frozenset({"title"}))]})
    return report_training(
        *(manifest, evaluate(probabilities, truth[test], [("a", "A"), ("b", "B")], 0.5), data, test, truth),
        Answers(probabilities, np.array([0, 0, PRIOR]), np.zeros((3, 3), np.bool_), {}),
        cascade=cascade,
        path=tmp_path,
        settings={"seed": 3, "weights": Path("/somewhere/weights.npz"), "teacher": None},
        languages=["fr", "", "fr"],
        command="aisle train data.csv",
    )


def test_stages_are_told_with_speed_and_size(report: TrainingReport) -> None:
    """The kept one is measured; the other has what was found when it was tried."""
    text, image = report.stages

    assert (True, 1_000, 0.7, 1.0, ["title"]) == (
        *(text.kept, text.size_bytes, text.accuracy, text.asked_share),
        text.reads,
    )
    assert (text.rows_per_s or 0) > 0
    assert (False, "It wins nothing.", 0.2, None) == (image.kept, image.why, image.accuracy, image.rows_per_s)


def test_slices_name_the_stage_that_decided(report: TrainingReport) -> None:
    """A row that no stage was asked about is told apart."""
    assert {"text": 2, "no stage": 1} == {part.name: part.rows for part in report.slices if part.kind == "decided by"}


def test_settings_are_single_values(report: TrainingReport) -> None:
    """Of a path only the name: folders of this machine are nobody's business. What is not set is left out."""
    assert {"seed": 3, "weights": "weights.npz"} == report.settings
    assert "aisle train data.csv" == report.command


def test_languages_are_those_of_the_test_rows(report: TrainingReport) -> None:
    """A slice each, and their counts in the data card."""
    assert {"fr": 2, "other or unknown": 1} == {
        part.name: part.rows for part in report.slices if part.kind == "language"
    }
    assert report.data is not None
    assert {"fr": 2, "": 1} == report.data.languages


def test_the_data_card_is_of_all_rows(report: TrainingReport) -> None:
    """Not of the test rows alone."""
    assert report.data is not None
    assert {"a": 4, "b": 3} == report.data.classes
    assert {"title": 1, "description": 6, "image": 7} == report.data.missing


def test_speed_is_measured_on_rows_that_the_stage_reads() -> None:
    """In full batches; without such rows there is no speed."""
    stage = Even("text", frozenset({"title"}))

    assert (rows_per_s(stage, Rows(["a", ""], ["", "b"])) or 0) > 0
    assert 0 == stage.asked % 32
    assert rows_per_s(stage, Rows([""], ["b"])) is None


def test_the_command_line_is_what_was_given() -> None:
    """Defaults are left out, what a shell would take apart is quoted."""

    @click.command()
    @click.argument("data")
    @click.option("--name", default="aisle")
    @click.option("--seed", type=int, default=0)
    @click.option("--photos/--no-photos", default=True)
    def command(**_: object) -> None:
        click.echo(invocation("aisle train"))

    result = CliRunner().invoke(command, ["--seed", "3", "my data.csv", "--no-photos"], catch_exceptions=False)

    assert "aisle train 'my data.csv' --seed 3 --no-photos\n" == result.stdout
