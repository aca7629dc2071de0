"""`--help` everywhere: at most 80 columns, every option explained, and no wait for heavy imports."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner

from scripts.cli import COMMANDS, cli, main
from scripts.errors import SumsDisagree

ROOT = Path(__file__).parents[2]
HEAVY = (
    "tensorflow",
    "keras",
    "pydantic",
    "faust",
    "aiokafka",
    "pymongo",
    "motor",
    "numpy",
    "structlog",
    "jgo",
    "jpype",
)


def walk(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command and subcommand with its path."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None, (*path, name)
            yield from walk(child, (*path, name))


TREE = [pytest.param(path, command, id=" ".join(("aisle", *path))) for path, command in walk(cli)]


@pytest.mark.parametrize(("path", "command"), TREE)
def test_help_works_and_fits_80_columns(
    path: tuple[str, ...], command: click.Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command explains itself on a terminal of 80 columns; -h does the same."""
    # click keeps the option of a command's first call, and another test may have called it without its parents.
    monkeypatch.setattr(command, "_help_option", None)
    results = [CliRunner().invoke(cli, [*path, flag], terminal_width=80) for flag in ("--help", "-h")]

    assert [result.exit_code for result in results] == [0, 0]
    assert results[0].output == results[1].output
    assert command.help
    assert max(len(line) for line in results[0].output.splitlines()) <= 80


@pytest.mark.parametrize(("path", "command"), TREE)
def test_every_option_is_explained(path: tuple[str, ...], command: click.Command) -> None:
    """An option without a help text is a riddle."""
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert parameter.help, f"{' '.join(path)} {parameter.opts[0]}"


@pytest.mark.parametrize("name", [*COMMANDS, ""])
def test_help_imports_nothing_heavy(name: str) -> None:
    """The answer comes at once, as nothing but click and the command's own file is imported for it."""
    program = f"""
import sys
from scripts.cli import main
sys.argv = {["aisle", *([name] if name else []), "--help"]!r}
try:
    main()
except SystemExit as end:
    assert not end.code
print("HEAVY", *sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)

    assert done.stderr.split() == ["HEAVY"]
    assert "Usage: aisle" in done.stdout


def test_an_unknown_command_is_wrong_usage() -> None:
    """It exits with 2 and one clear line, no traceback."""
    done = subprocess.run(
        [sys.executable, "-c", "from scripts.cli import main; main()", "nonsense"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 2
    assert "No such command 'nonsense'" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_is_a_message_and_a_hint(tmp_path: Path) -> None:
    """What goes wrong on purpose shows as one message with what to do, and the error's own exit status."""
    done = subprocess.run(
        [sys.executable, "-c", "from scripts.cli import main; main()", "config"],
        cwd=tmp_path,
        env={"AISLE_TOPIC_PARTITIONS": "x", "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 2
    assert done.stderr.startswith("error: AISLE_TOPIC_PARTITIONS is 'x'")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["config", "--table"], ["config", "--help"]])
def test_a_reader_that_went_away_ends_it_quietly(arguments: list[str]) -> None:
    """Behind `aisle ... | true` stands the status of a closed pipe, and nothing on standard error."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        program = [sys.executable, "-c", "from scripts.cli import main; main()", *arguments]
        done = subprocess.run(program, cwd=ROOT, check=False, stdout=closed, stderr=subprocess.PIPE, text=True)

    assert (done.returncode, done.stderr) == (141, "")


def test_every_failure_is_said_in_the_same_form(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """What a command could not do begins with "error:", whichever class of error it chose."""

    def failing() -> None:
        raise click.ClickException("Line 2 is not JSON.")

    monkeypatch.setitem(COMMANDS, "config", "failing")
    monkeypatch.setitem(sys.modules, "failing", SimpleNamespace(command=click.Command("x", callback=failing)))
    monkeypatch.setattr(sys, "argv", ["aisle", "config"])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 1
    assert capsys.readouterr().err == "error: Line 2 is not JSON.\n"


def test_a_demo_whose_sums_disagree_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something was lost: the demo says so with an error of aisle's own, and exit status 1."""

    async def disagree(*_: object) -> bool:
        return False

    monkeypatch.setattr("infra.stack.run_until_stopped", disagree)
    result = CliRunner().invoke(cli, ["demo", "--once"])

    assert isinstance(result.exception, SumsDisagree)
    assert result.exception.exit_status == 1
