"""Points in time as the contracts carry them."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time is out of range once its offset is taken off") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A point in time with its offset from UTC; kept in UTC."""
