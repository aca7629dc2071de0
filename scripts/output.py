"""What every command prints the same way."""

import re
from typing import Any

import click

# What JSON allows unescaped in text, and a terminal may obey: C1 controls, and marks that reverse the direction.
_UNSAFE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def print_json(value: Any) -> None:
    """Print a value as indented JSON on standard output; dates in ISO 8601, paths as text."""
    import orjson

    text = orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2).decode()
    click.echo(_UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def printable(text: str) -> str:
    """Text on one line without control characters: what others wrote must not steer the terminal."""
    return "".join(char if char.isprintable() else "·" for char in text)
