"""The ``aisle`` command: finds the command that was asked for, and turns errors into one clear line."""

import errno
import logging
import sys
from importlib import import_module
from importlib.metadata import version

import click

from schemas.errors import AisleError

# Each module is imported only when its command, or the list of all, is asked for; what a command needs to
# run it imports when it runs. Importing pydantic, Kafka or TensorFlow here would make --help wait for them.
COMMANDS = {
    "demo": "scripts.demo",
    "up": "scripts.up",
    "down": "scripts.down",
    "services": "scripts.services",
    "status": "scripts.status",
    "train": "scripts.train",
    "evaluate": "scripts.evaluate",
    "models": "scripts.models",
    "classify": "scripts.classify",
    "data": "scripts.data",
    "drift": "scripts.drift",
    "replay": "scripts.replay",
    "score": "scripts.score",
    "watch": "scripts.watch",
    "feedback": "scripts.feedback",
    "export": "scripts.export",
    "retrain": "scripts.retrain",
    "dlq": "scripts.dlq",
    "users": "scripts.users",
    "backup": "scripts.backup",
    "restore": "scripts.restore",
    "worker": "scripts.worker",
    "topics": "scripts.topics",
    "schema": "scripts.schema",
    "plan": "scripts.plan",
    "doctor": "scripts.doctor",
    "config": "scripts.config",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are first asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands, in the order of ``COMMANDS``: the road of a new user."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name]).command
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(version("aisle"), prog_name="aisle")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Put products on the right shelf: Kafka in, predictions out.

    Start with `aisle demo`; bring your own data with `aisle train`.
    """


def main() -> None:
    """Run the command line; exit 0 on success, 1 on failure, 2 on wrong usage, 130 on Ctrl-C, 141 on a closed pipe."""
    # A command that keeps no log still imports libraries that do: their lines are not its output.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        sys.exit(cli.main(standalone_mode=False) or 0)
    except SystemExit as end:
        # When the reader of our output goes away, as `| head` does, click ends with 1, a failure.
        if isinstance(end.__context__, BrokenPipeError):
            sys.exit(141)
        raise
    except (KeyboardInterrupt, click.exceptions.Abort):
        sys.exit(130)
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        sys.exit(_report(error))


def _report(error: Exception) -> int:
    """Say what went wrong, without a traceback; the exit status that goes with it."""
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case click.UsageError():
            error.show()
            return error.exit_code
        case click.ClickException():
            _say(error.format_message())
            return error.exit_code
        case AisleError():
            _say(f"{error.message}\n{error.hint}".rstrip())
            return error.exit_status
        case OSError():
            _say(_explain(error))
            return 1
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    _say(f"aisle did not expect this: {what}\nRun it again as `aisle --debug …` to see where.")
    return 1


def _say(text: str) -> None:
    click.echo(click.style("error: ", fg="red", bold=True) + text, err=True)


def _explain(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        where = f" at {error.filename}" if error.filename else ""
        return f"The disk is full{where}.\nMake room, or point AISLE_DATA_DIR to a disk with some."
    return f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")
