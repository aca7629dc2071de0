"""How the report's templates write figures. None, which stands for what was not measured, is a dash."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from model.report.schema import Interval

NONE: Final = "\u2013"
MINUS: Final = "\u2212"


def _unless_none(write: Callable[[float], str]) -> Callable[[float | None], str]:
    return lambda value: NONE if value is None else write(value)


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", MINUS)


def _size(size_bytes: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size_bytes < 1_000:
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1_000
    return f"{size_bytes:.1f} GB"


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{seconds / 3_600:.1f} h"


def _span(write: Callable[[float], str]) -> Callable[[Interval], str]:
    return lambda interval: f"{write(interval.low)} to {write(interval.high)}"


FORMATS: Final[Mapping[str, Callable[..., Any]]] = {
    "figure": _unless_none("{:.3f}".format),
    "share": _unless_none("{:.1%}".format),
    "whole": _unless_none("{:,.0f}".format),
    "size": _unless_none(_size),
    "duration": _unless_none(_duration),
    "signed": _signed,
    "span": _span("{:.3f}".format),
    "share_span": _span("{:.1%}".format),
    "signed_span": _span(_signed),
}
"""Filters by their names in the templates."""
