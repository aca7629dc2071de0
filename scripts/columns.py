"""The options that name a data set's columns, the same for every command that reads one."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

_ROLES = ("title", "description", "category", "theme", "id")


def column_options(command: _Command) -> _Command:
    """Add ``--title-column`` and its kin; :func:`columns_of` makes of them what the loader takes."""
    for role in reversed(_ROLES):
        text = f"Column with the {role}; default: found by its usual names."
        command = click.option(f"--{role}-column", metavar="NAME", help=text)(command)
    return command


def columns_of(named: dict[str, str | None]) -> Any:
    """The :class:`model.data.columns.Columns` that the options name."""
    from model.data.columns import Columns

    return Columns(**{role: named[f"{role}_column"] for role in _ROLES})
