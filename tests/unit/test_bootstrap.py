"""The bootstrap: what it runs, when it works anew, and what it says when it cannot."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import bootstrap, environment
from scripts.environment import Environment, EnvironmentFailed
from scripts.installer import explain, tool_environ

ROOT = Path(__file__).parents[2]


class Replaced(Exception):
    """Stands for a process that became another program."""


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that the process would have become; the environment is there already."""
    commands: list[list[str]] = []

    def execv(_program: str, command: list[str]) -> None:
        commands.append(command)
        raise Replaced

    monkeypatch.setattr(os, "execv", execv)
    monkeypatch.setattr(Environment, "ensure", lambda _self: None)
    monkeypatch.chdir(ROOT)
    return commands


@pytest.mark.parametrize(
    ("line", "program", "arguments"),
    [
        ("run --once", "aisle", ["demo", "--once"]),
        ("train data.csv", "aisle", ["train", "data.csv"]),
        ("up", "aisle", ["up"]),
        ("down", "aisle", ["down"]),
        ("aisle topics list --json", "aisle", ["topics", "list", "--json"]),
        ("bench model --seeds 1", "python", ["-m", "tests.bench", "model", "--seeds", "1"]),
        ("test -k taxonomy", "python", ["-m", "pytest", "--numprocesses=2", "-k", "taxonomy"]),
    ],
)
def test_a_command_becomes_the_real_one(
    executed: list[list[str]], line: str, program: str, arguments: list[str]
) -> None:
    """The process is replaced, so that Ctrl-C and SIGTERM reach the command itself, arguments unchanged."""
    with pytest.raises(Replaced):
        bootstrap.main(line.split())

    assert executed == [[str(ROOT / ".venv" / "bin" / program), *arguments]]


def test_data_stays_with_the_checkout_when_started_elsewhere(
    executed: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """From another folder the data is still in this checkout's var/, unless the user names a place."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AISLE_DATA_DIR", "x")
    monkeypatch.delenv("AISLE_DATA_DIR")

    with pytest.raises(Replaced):
        bootstrap.main(["up"])

    assert os.environ["AISLE_DATA_DIR"] == str(ROOT / "var")
    assert executed


def test_an_unknown_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """It exits with 2, names the command, and makes no environment for it."""
    assert bootstrap.main(["tset"]) == 2
    assert "'tset'" in capsys.readouterr().err


@pytest.mark.parametrize("version", [(3, 9), (3, 10), (3, 14)])
def test_a_wrong_python_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], version: tuple[int, int]
) -> None:
    """Without another Python on the PATH: which versions it takes and which this is."""
    monkeypatch.setattr(sys, "version_info", (*version, 0))
    monkeypatch.setenv("PATH", "")

    status = bootstrap.main(["run"])

    lines = capsys.readouterr().err.splitlines()
    assert (status, len(lines)) == (1, 1)
    assert "3.11, 3.12 or 3.13" in lines[0]
    assert f"{version[0]}.{version[1]}" in lines[0]


def test_a_right_python_on_the_path_takes_over(
    monkeypatch: pytest.MonkeyPatch, executed: list[list[str]], tmp_path: Path
) -> None:
    """A supported interpreter is used when the first one is not supported; one that does not work is passed over."""
    for name, body in (("python3.13", "exit 127"), ("python3.12", "exit 0")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "version_info", (3, 9, 0))

    with pytest.raises(Replaced):
        bootstrap.main(["run", "--once"])

    assert executed == [[str(tmp_path / "python3.12"), str(ROOT / "scripts" / "bootstrap.py"), "run", "--once"]]


def test_lint_runs_every_check_after_a_failure(
    monkeypatch: pytest.MonkeyPatch, executed: list[list[str]], capfd: pytest.CaptureFixture[str]
) -> None:
    """One run shows all that is wrong, and fails."""
    ran: list[str] = []

    def run(command: list[str], **_options: object) -> subprocess.CompletedProcess[bytes]:
        ran.append(Path(command[0]).name)
        return subprocess.CompletedProcess(command, returncode=len(ran) == 1)

    monkeypatch.setattr(subprocess, "run", run)

    assert bootstrap.main(["lint"]) == 1
    assert ran == ["ruff", "ruff", "mypy", "lint-imports", "sphinx-build"]
    assert not executed
    assert "ruff did not pass" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("output", "word"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("Could not find a version: Temporary failure in name resolution", "network"),
        ("error sending request for url: dns error", "network"),
        ("Hash mismatch for `click==8.3.3`", "lock file"),
        ("invalid peer certificate: UnknownIssuer", "SSL_CERT_FILE"),
        ("something new", "lines above"),
    ],
)
def test_a_failure_says_what_to_do(output: str, word: str) -> None:
    """What the installers write is turned into one line with the remedy."""
    line = explain(output)

    assert word in line
    assert "\n" not in line


def test_no_venv_module_names_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Debian's Python comes without: the line says what to install."""
    for name in environment.SOURCES:
        (tmp_path / name).write_text("x")
    monkeypatch.setattr(environment, "find_spec", lambda _name: None)

    with pytest.raises(EnvironmentFailed, match=r"apt install python3\.\d+-venv"):
        Environment(tmp_path).ensure()


def test_a_disk_too_small_is_refused_before_anything_is_fetched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The line names the figures, and no half environment stays behind."""
    for name in environment.SOURCES:
        (tmp_path / name).write_text("x")
    monkeypatch.setattr(environment, "NEEDED_BYTES", 2**62)

    with pytest.raises(EnvironmentFailed, match="GB free"):
        Environment(tmp_path).ensure()

    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("home", ["", "/dev/null/nowhere"])
def test_tools_get_a_cache_without_a_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: str) -> None:
    """A home that is missing or cannot be written moves the cache into the environment's folder."""
    monkeypatch.delenv("UV_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", home or "/dev/null/nowhere")

    assert tool_environ(tmp_path)["UV_CACHE_DIR"] == str(tmp_path / ".venv" / "cache")


def test_no_module_of_the_command_line_hides_one_of_the_standard_library() -> None:
    """Python puts the folder of a started script first on the path: scripts/json.py would break the bootstrap."""
    names = {path.stem for path in (ROOT / "scripts").glob("*.py")} - {"__init__", "__main__"}

    assert not names & sys.stdlib_module_names


@pytest.mark.parametrize("name", ["bootstrap", "environment", "installer", "clean"])
def test_the_bootstrap_needs_the_standard_library_only(name: str) -> None:
    """It runs on a bare Python: with site-packages switched off, its modules still load."""
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import scripts.{name}"

    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], check=False, capture_output=True)

    assert done.returncode == 0, done.stderr.decode()
