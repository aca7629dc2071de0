"""`--help` everywhere: at most 80 columns, every option explained, and no wait for heavy imports."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from scripts.cli import COMMANDS, cli

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
