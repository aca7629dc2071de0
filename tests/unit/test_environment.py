"""The environment is made once, renewed when it must be, and mended after an interruption."""

import fcntl
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts import environment
from scripts.environment import SOURCES, Environment, EnvironmentFailed


class FakeInstaller:
    """Keeps a list of what was done; makes files instead of packages."""

    done: list[str]
    at_sync: Callable[[], None]

    def __init__(self, root: Path, _python: Path, _lock: int) -> None:
        self._bin = root / ".venv" / "bin"

    def run(self, command: list[str], **_options: Any) -> None:
        """Stands for `python -m venv --clear`."""
        self.done.append(command[2])
        self._bin.mkdir(parents=True, exist_ok=True)
        (self._bin / "python").touch(mode=0o755)

    def output(self, _command: list[str]) -> str:
        """What the environment's Python says of itself."""
        if not self._bin.exists():
            return ""
        return f'[[{sys.version_info[0]}, {sys.version_info[1]}], "{self._bin.parent}"]'

    def get_uv(self) -> bool:
        """Nothing to fetch."""
        return True

    def sync(self) -> None:
        """Stands for the installation of the packages."""
        self.done.append("sync")
        type(self).at_sync()

    def install_project(self) -> None:
        """Stands for the installation of aisle."""
        self.done.append("project")


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps taken, with no real installer."""
    monkeypatch.setattr(environment, "Installer", FakeInstaller)
    monkeypatch.setattr(environment, "NEEDED_BYTES", 0)
    monkeypatch.setattr(FakeInstaller, "done", [], raising=False)
    monkeypatch.setattr(FakeInstaller, "at_sync", staticmethod(lambda: None), raising=False)
    return FakeInstaller.done


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout's folder, with a space in its name."""
    root = tmp_path / "a checkout"
    root.mkdir()
    for name in SOURCES:
        (root / name).write_text(name)
    return root


def test_the_second_start_does_nothing(done: list[str], checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Made once; then a start reads four small files and says nothing."""
    Environment(checkout).ensure()
    assert done == ["venv", "sync", "project"]
    assert "is ready" in capsys.readouterr().err

    Environment(checkout).ensure()
    assert done == ["venv", "sync", "project"]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", SOURCES)
def test_a_changed_source_renews_in_place(done: list[str], checkout: Path, name: str) -> None:
    """A new lock is installed over the old packages; the environment itself stays."""
    Environment(checkout).ensure()
    done.clear()
    (checkout / name).write_text("new")

    Environment(checkout).ensure()

    assert done == ["sync", "project"]


def test_another_python_makes_it_anew(done: list[str], checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages of one Python version do not serve another."""
    Environment(checkout).ensure()
    done.clear()
    monkeypatch.setattr(sys.implementation, "cache_tag", "cpython-399")
    monkeypatch.setattr(FakeInstaller, "output", lambda _self, _command: '[[3, 99], "elsewhere"]')

    Environment(checkout).ensure()

    assert done[0] == "venv"


def test_a_moved_checkout_makes_it_anew(done: list[str], checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripts in an environment name their interpreter by its place."""
    Environment(checkout).ensure()
    done.clear()
    moved = checkout.rename(checkout.with_name("moved"))
    monkeypatch.setattr(FakeInstaller, "output", lambda _self, _command: f'[[3, 11], "{checkout}/.venv"]')

    Environment(moved).ensure()

    assert done[0] == "venv"


@pytest.mark.parametrize("blow", [KeyboardInterrupt, SystemExit, OSError])
def test_an_interrupted_installation_is_begun_anew(
    done: list[str], checkout: Path, monkeypatch: pytest.MonkeyPatch, blow: type[BaseException]
) -> None:
    """A package cut short can look installed and lack files: after an interruption nothing of it is trusted."""

    def strike() -> None:
        raise blow

    monkeypatch.setattr(FakeInstaller, "at_sync", staticmethod(strike))
    with pytest.raises((blow, EnvironmentFailed)):
        Environment(checkout).ensure()
    monkeypatch.setattr(FakeInstaller, "at_sync", staticmethod(lambda: None))
    done.clear()

    Environment(checkout).ensure()

    assert done == ["venv", "sync", "project"]


def test_a_removed_interpreter_is_noticed(done: list[str], checkout: Path) -> None:
    """The stamp alone is not believed."""
    Environment(checkout).ensure()
    (checkout / ".venv" / "bin" / "python").unlink()
    done.clear()

    Environment(checkout).ensure()

    assert "sync" in done


def test_the_second_of_two_waits_and_finds_it_made(
    done: list[str], checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two starts at once install once."""
    descriptor = os.open(checkout, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    second = threading.Thread(target=Environment(checkout).ensure)
    second.start()
    while "Waiting" not in capsys.readouterr().err:
        second.join(0.01)
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").touch(mode=0o755)
    (checkout / ".venv" / "aisle-stamp").write_text(Environment(checkout)._fingerprint())

    os.close(descriptor)
    second.join(10)

    assert not second.is_alive()
    assert done == []


def test_a_missing_lock_file_is_one_clear_line(done: list[str], checkout: Path) -> None:
    """A checkout that is not whole says which file it lacks."""
    (checkout / "requirements.lock").unlink()

    with pytest.raises(EnvironmentFailed, match=r"requirements\.lock cannot be read"):
        Environment(checkout).ensure()

    assert done == []
