"""What every command prints the same way."""

from typing import Any

import click


def print_json(value: Any) -> None:
    """Print a value as indented JSON on standard output; dates in ISO 8601, paths as text."""
    import orjson

    click.echo(orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2))
