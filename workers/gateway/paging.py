"""Where a page of a list begins, as an opaque text that a caller hands back."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from math import isfinite
from typing import Annotated, Final

import orjson
from fastapi import Query

from workers.gateway.errors import Unprocessable

_LONGEST: Final = 1_000

Limit = Annotated[int, Query(ge=1, le=200, description="Most items of a page.")]
"""To be given the default 50."""

Cursor = Annotated[str | None, Query(max_length=_LONGEST, description="`next` of the page before.")]


def cursor_of(*place: str | float) -> str:
    """The cursor that stands for a place in a list."""
    return urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def place_of(cursor: str, *kinds: type[str] | type[float]) -> list[str | float]:
    """The place that a cursor stands for.

    Args:
        cursor: As a caller gave it, maybe made up.
        kinds: What the place consists of.

    Raises:
        Unprocessable: No list gave it.
    """
    try:
        place = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        place = None
    if (
        not isinstance(place, list)
        or [type(part) for part in place] != list(kinds)
        or not all(part.isprintable() if isinstance(part, str) else isfinite(part) for part in place)
    ):
        raise no_cursor()
    return place


def no_cursor() -> Unprocessable:
    """What is said to a cursor that is none of the list."""
    return Unprocessable("The cursor is none that a page of this list gave.", hint="Begin without one.")
