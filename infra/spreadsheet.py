"""Tables that people open in a spreadsheet."""

from typing import Final, TypeVar

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""

Value = TypeVar("Value")


def inert(value: Value) -> Value | str:
    """A cell that no spreadsheet takes for a formula: one that it could has an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
