"""Points in time that people give over HTTP."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from schemas.time import Instant


def _is_text(value: Any) -> Any:
    """Refuse a number, which pydantic takes for seconds since 1970, and the document does not."""
    if isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return value
    elif value is None or not isinstance(value, int | float):
        return value
    raise ValueError("a time is written as 2026-11-22T06:12:33Z")


Moment = Annotated[Instant, BeforeValidator(_is_text)]
"""ISO 8601 with an offset from UTC."""
