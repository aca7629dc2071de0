"""Points in time and spans of it on the command line."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click

_SPAN: Final = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def span_of(text: str) -> timedelta | None:
    """A span that is written as 30s, 5m, 2h, 7d or 4w; None if it is not."""
    found = _SPAN.fullmatch(text)
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None


class Moment(click.ParamType):
    """A point in time: ISO 8601, local where it names no offset, or so long ago, as 30m, 2h, 7d."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment in UTC."""
        try:
            if (ago := span_of(value)) is not None:
                return datetime.now(UTC) - ago
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time: write 2026-11-21T16:00, or 2h for two hours ago.", param, ctx)


class Span(click.ParamType):
    """A span of time of a second at least, as 30s, 5m, 2h, 7d or 4w."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The span."""
        if not (span := span_of(value)):
            self.fail(f"{value!r} is no span of time: write 5m for five minutes, 2h, 1d.", param, ctx)
        return span
