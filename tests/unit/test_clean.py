"""`make clean` removes what aisle made, never anything else, and not under a running aisle."""

import json
import os
from pathlib import Path

import pytest

from infra.local.state import RunState
from scripts.clean import clean


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with things made, things kept, and a record of a process that has ended."""
    for name in (".venv/bin/python", "var/kafka/log", "schemas/__pycache__/a.pyc", ".mypy_cache/x", "dist/a.whl"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    for name in ("schemas/product.py", "notes.txt", ".env", "data/mine.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def record(root: Path, content: object) -> None:
    """Write a record of what runs."""
    (root / "var" / "run").mkdir(parents=True, exist_ok=True)
    (root / "var" / "run" / "kafka.json").write_text(json.dumps(content))


def files(root: Path) -> set[str]:
    """Every file below a folder."""
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}


def test_only_what_aisle_made_goes(checkout: Path) -> None:
    """The user's files, settings and sources stay."""
    assert clean(checkout) == 0
    assert files(checkout) == {"schemas/product.py", "notes.txt", ".env", "data/mine.csv"}
    assert clean(checkout) == 0


def test_it_refuses_while_something_runs(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A live process keeps its data: nothing is removed, and the line says how to stop it."""
    record(checkout, {"workers": [{"pid": os.getpid()}]})
    before = files(checkout)

    assert clean(checkout) == 1
    assert files(checkout) == before
    assert "make down" in capsys.readouterr().err


def test_it_refuses_while_the_recorded_process_runs(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A record as aisle writes it, with the time its process was created, holds it up."""
    record(checkout, RunState.of(os.getpid()).model_dump())

    assert clean(checkout) == 1
    assert str(os.getpid()) in capsys.readouterr().err


@pytest.mark.parametrize("away_s", [-3_600, -5, 5])
def test_an_id_that_another_process_has_now_does_not_hold_it_up(checkout: Path, away_s: float) -> None:
    """After a crash the system may give the recorded id to any other process."""
    state = RunState.of(os.getpid())
    record(checkout, state.model_dump() | {"created": state.created + away_s})

    assert clean(checkout) == 0
    assert not (checkout / "var").exists()


def test_in_doubt_the_process_is_the_recorded_one(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where ps is missing, a live id keeps its data."""
    record(checkout, {"pid": os.getpid(), "created": 0.0})
    monkeypatch.setenv("PATH", str(checkout))

    assert clean(checkout) == 1


@pytest.mark.parametrize(
    "content", [{"pid": 2**22 + 1}, {"pid": 2**70}, {"pid": None}, {"pid": True}, {"pid": -1}, [], "x"]
)
def test_a_record_of_no_live_process_does_not_hold_it_up(checkout: Path, content: object) -> None:
    """A crash leaves records behind."""
    record(checkout, content)

    assert clean(checkout) == 0
    assert not (checkout / "var").exists()


def test_a_link_goes_and_its_target_stays(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whoever linked var/ to a big disk keeps what is there."""
    elsewhere = tmp_path_factory.mktemp("disk")
    (elsewhere / "data").touch()
    (checkout / "build").symlink_to(elsewhere)

    assert clean(checkout) == 0
    assert (elsewhere / "data").exists()
    assert not (checkout / "build").is_symlink()
