"""Commands of aisle as other files name them: whether each exists, with these options."""

import re
import shlex
from collections.abc import Sequence

import click

from scripts.cli import cli

_ENDS = {"|", ">", ">>", "&&", ";", "||"}


def aisle_commands(line: str) -> list[list[str]]:
    """The arguments of each ``aisle …`` in a line of shell; what is computed there counts as one word."""
    words = shlex.split(re.sub(r'"\$\(.*?\)"', "computed", line))
    found: list[list[str]] = []
    own: list[str] | None = None
    for word in words:
        if word == "aisle" and own is None:
            own = []
            found.append(own)
        elif word in _ENDS:
            own = None
        elif own is not None:
            own.append(word)
    return found


def parsed(arguments: Sequence[str]) -> click.Context:
    """The command that these arguments name, with them parsed and nothing run.

    Raises:
        click.UsageError: There is no such command or option, or an argument is missing.
    """
    context = cli.make_context("aisle", list(arguments))
    while isinstance(context.command, click.Group):
        rest = [*context._protected_args, *context.args]
        name, command, rest = context.command.resolve_command(context, rest)
        assert command is not None
        context = command.make_context(name, rest, parent=context)
    return context
