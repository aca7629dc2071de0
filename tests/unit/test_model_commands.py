"""`aisle train`, `aisle evaluate` and `aisle classify` as a person or a script uses them."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from infra.local.lock import TRAINING, DirLock
from infra.local.ports import any_free_port
from infra.settings import load_settings
from model.bundle import read_manifest
from model.champion import promote, read_champion
from model.classifier import Classification, Photo
from model.errors import PromotionRefused
from schemas.prediction import Category, ModelRef
from schemas.product import Product
from schemas.taxonomy import BUILTIN_PATH
from scripts.classify import command as classify
from scripts.cli import main
from scripts.evaluate import command as evaluate
from scripts.train import command as train
from scripts.train import stoppable
from streams.photos import AT_A_TIME
from tests.bundles import make_bundle

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.timeout(300)  # the first of these imports TensorFlow, on a busy machine too


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data directory of the test's own."""
    monkeypatch.setenv("AISLE_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("AISLE_MLFLOW", "false")
    load_settings.cache_clear()
    yield tmp_path / "var"
    load_settings.cache_clear()


@pytest.fixture
def served(bundle: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The session's bundle, named in the settings."""
    monkeypatch.setenv("AISLE_MODEL", str(bundle))
    load_settings.cache_clear()
    return data_dir


def _aisle(*arguments: object, data_dir: Path, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from scripts.cli import main; main()", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "AISLE_DATA_DIR": str(data_dir), **env},
        input=stdin,
        check=False,
        capture_output=True,
        text=True,
    )


def test_training_makes_a_champion_unless_told_not_to(
    small_data: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bundle lands below the data directory; only a promotion changes the pointer. Neither needs a registry."""
    first = CliRunner().invoke(train, [str(small_data), "--no-promote", "--json"], catch_exceptions=False)
    assert read_champion(data_dir / "models") is None
    monkeypatch.setenv("AISLE_MLFLOW", "true")
    monkeypatch.setenv("AISLE_MLFLOW_URI", f"http://127.0.0.1:{any_free_port()}")
    load_settings.cache_clear()
    second = CliRunner().invoke(train, [str(small_data), "--name", "foods"], catch_exceptions=False)

    printed = json.loads(first.stdout)
    assert Path(printed["bundle"]).parent == data_dir / "models"
    assert printed["data"]["rows"] > 300
    champion = read_champion(data_dir / "models")
    assert champion is not None
    assert ("foods", 1) == (champion.model.name, champion.sequence)
    assert f"foods {champion.model.version}, now the champion" in second.stdout
    assert "seed 0" in second.stdout
    assert "not recorded in MLflow" in second.stderr
    report = json.loads((data_dir / "models" / champion.model.version / "report" / "report.json").read_bytes())
    assert f"aisle train {small_data} --name foods" == report["command"]


def test_a_training_takes_the_place_of_no_model_that_came_meanwhile(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a retraining beside it has put in service stays; the model is kept, and the way to promote it is said."""
    models = data_dir / "models"
    first, new, retrained = (make_bundle(models, version) for version in ("first", "new", "retrained"))
    promote(models, first, by="ada", why="")
    problems = SimpleNamespace(problems=SimpleNamespace(messages=()))

    def trained(*_: Any, **__: Any) -> Any:
        promote(models, retrained, by="aisle retrain", why="")
        report = SimpleNamespace(comparisons=())
        return SimpleNamespace(bundle=new, notes=(), manifest=read_manifest(new), report=report), problems

    monkeypatch.setattr("scripts.train._train", trained)
    monkeypatch.setattr("scripts.train._keep_base", lambda *_: None)
    lock = DirLock(data_dir, TRAINING)
    assert lock.try_acquire()
    result = CliRunner().invoke(train, ["data.csv", "--json"])
    lock.release()

    assert "a retraining runs beside this" in result.stderr
    assert isinstance(result.exception, PromotionRefused)
    assert "retrained is in force, and not first" in str(result.exception)
    assert "`aisle models promote new`" in str(result.exception)
    assert json.loads(result.stdout)["promoted"] is False
    champion = read_champion(models)
    assert champion is not None
    assert "retrained" == champion.model.version


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["missing.csv"], "missing.csv does not exist."),
        (["DATA", "--category-column", "nope"], "has no column 'nope'"),
        (["DATA", "--title-column", "nope"], "has no column 'nope'"),
        (["DATA", "--category-column", "id"], "looks like ids"),
        (["DATA", "--taxonomy", str(BUILTIN_PATH)], "in column 'category', which is not in the taxonomy"),
        (["DATA", "--taxonomy", "missing.csv"], "There is no taxonomy file missing.csv"),
        (["ONE"], "a classifier needs two"),
        (["FEW"], "has 4 usable rows"),
    ],
)
def test_wrong_usage_is_one_clear_error(
    options: list[str],
    message: str,
    small_data: Path,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No traceback, exit 2, and nothing is left behind."""
    names = {"DATA": small_data} | {name: data_dir.with_name(f"{name}.csv") for name in ("ONE", "FEW")}
    names["ONE"].write_text("title,category\n" + "thé,10\n" * 50, encoding="utf-8")
    names["FEW"].write_text("title,category\na,10\nb,40\nc,10\nd,40\n", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["aisle", "train", *(str(names.get(option, option)) for option in options)])
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr().err

    assert 2 == end.value.code
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    assert 1 == len(errors)
    assert message in errors[0]
    assert "Traceback" not in said
    assert not list(data_dir.glob("models/*"))


def test_a_training_that_is_told_to_end_clears_up() -> None:
    """SIGTERM ends it as Ctrl-C does, with the status that a shell knows; what handled it before does so again."""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as end, stoppable():
        signal.raise_signal(signal.SIGTERM)

    assert 143 == end.value.code
    assert before == signal.getsignal(signal.SIGTERM)


def test_a_quick_training_needs_a_model_to_begin_with(small_data: Path) -> None:
    """Otherwise there is nothing to keep."""
    result = CliRunner().invoke(train, [str(small_data), "--quick"])

    assert (2, True) == (result.exit_code, "--from BUNDLE" in result.stderr)


def test_evaluation_prints_a_table_of_80_columns(bundle: Path, small_data: Path, data_dir: Path) -> None:
    """Both models stand in it, with their speeds, and what was left out is said."""
    result = CliRunner().invoke(evaluate, [str(bundle), str(small_data), "--baseline"], catch_exceptions=False)

    assert 0 == result.exit_code
    assert max(map(len, result.stdout.splitlines()[2:])) <= 80
    assert "TF-IDF + LinearSVC" in result.stdout
    assert "rows/s, 128" in result.stdout
    assert "that the model learned from" in result.stdout
    assert not data_dir.exists()


def test_evaluation_as_json(bundle: Path, small_data: Path) -> None:
    """A script gets every figure."""
    result = CliRunner().invoke(evaluate, [str(bundle), str(small_data), "--json"], catch_exceptions=False)

    assert 11 == len(json.loads(result.stdout)["classes"])


def test_a_path_that_is_no_bundle_is_one_clear_error(small_data: Path, tmp_path: Path) -> None:
    """Neither a directory nor a missing path gives a traceback."""
    for path in (tmp_path, tmp_path / "missing"):
        done = _aisle("evaluate", path, small_data, data_dir=tmp_path)
        assert 1 == done.returncode
        assert done.stderr.startswith(f"error: {path} ")


def test_one_title_is_answered_with_bars(bundle: Path, tmp_path: Path) -> None:
    """At most 80 columns, the likeliest first, and not a word from TensorFlow."""
    done = _aisle("classify", "Fromage blanc nature", data_dir=tmp_path, AISLE_MODEL=str(bundle))

    assert ("", 0) == (done.stderr, done.returncode)
    assert "%" in done.stdout.splitlines()[0]
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.usefixtures("served")
def test_lines_are_answered_and_bad_ones_named() -> None:
    """The good ones get their answers, in order; the bad ones their number; the exit status says so."""
    lines = ['{"product_id": 7, "title": "vin rouge"}', "{", "[]", '{"title": null}', "", '{"title": "soupe"}']
    result = CliRunner().invoke(classify, input="\n".join(lines))

    assert ["7", "line-6"] == [json.loads(line)["product_id"] for line in result.stdout.splitlines()]
    assert ["Line 2", "Line 3", "Line 4"] == [line.split("error: ")[1][:6] for line in result.stderr.splitlines()]
    assert 1 == result.exit_code


def test_few_photos_are_in_memory_at_a_time(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as in a worker, however many lines there are; the answers are in the order of the lines."""
    shown: list[int] = []

    class Looks:
        """Answers with how many photos it was shown."""

        ref, reads_photos = ModelRef(name="looks", version="1"), True

        def classify(self, products: list[Product], photos: list[Photo]) -> list[Classification]:
            shown.append(sum(isinstance(photo, bytes) for photo in photos))
            tea = Category(code="1", label="tea")
            return [Classification(tea, 0.5, [(tea, 0.5)], False, "image", ("image",), ()) for _ in products]

    monkeypatch.setattr("model.classifier.Classifier.load", lambda *_, **__: Looks())
    monkeypatch.setenv("AISLE_IMAGE_ROOTS", str(tmp_path))
    monkeypatch.setenv("AISLE_MODEL", str(data_dir))
    load_settings.cache_clear()
    Image.new("RGB", (8, 8), "red").save(tmp_path / "a.jpg")
    lines = [json.dumps({"product_id": str(n), "title": "tea", "image": {"uri": "a.jpg"}}) for n in range(150)]
    result = CliRunner().invoke(classify, input="\n".join(lines), catch_exceptions=False)

    assert [str(n) for n in range(150)] == [json.loads(line)["product_id"] for line in result.stdout.splitlines()]
    assert (150, True) == (sum(shown), max(shown) <= AT_A_TIME)


@pytest.mark.usefixtures("served")
def test_one_title_as_json() -> None:
    """The fields are a prediction's own."""
    result = CliRunner().invoke(classify, ["vin rouge", "--json"], catch_exceptions=False)

    answer = json.loads(result.stdout)
    assert {"category", "confidence", "top", "needs_review", "decided_by", "modalities", "notes"} <= answer.keys()
    assert 0 == result.exit_code


def test_no_model_says_how_to_get_one(tmp_path: Path) -> None:
    """The hint is the command."""
    done = _aisle("classify", "thé", data_dir=tmp_path)

    assert 1 == done.returncode
    assert "aisle train DATA" in done.stderr


def test_a_damaged_champion_is_one_clear_error(bundle: Path, tmp_path: Path) -> None:
    """A bundle with a file missing does not answer."""
    shutil.copytree(bundle, tmp_path / "copy")
    (tmp_path / "copy" / "seen_keys.npy").unlink()
    done = _aisle("classify", "thé", "--model", tmp_path / "copy", data_dir=tmp_path)

    assert 1 == done.returncode
    assert "lacks its file seen_keys.npy" in done.stderr
