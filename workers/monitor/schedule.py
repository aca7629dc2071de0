"""When something is due, by a cron expression in UTC."""

from datetime import datetime, timedelta
from typing import Final

from cronsim import CronSim

_MINUTE: Final = timedelta(minutes=1)


def last_tick(expression: str, now: datetime) -> datetime:
    """The last time that an expression names, up to now."""
    # It gives times before the one it is asked from, and knows whole minutes.
    return next(CronSim(expression, _minute(now) + _MINUTE, reverse=True))


def is_due(expression: str, before: datetime, now: datetime) -> bool:
    """Whether a time that the expression names has come since something was done last.

    However many have come: what was missed while nobody was there is done once.

    Args:
        expression: Of cron, in UTC.
        before: When it was done last.
        now: The time.
    """
    return last_tick(expression, now) > before


def _minute(time: datetime) -> datetime:
    return time.replace(second=0, microsecond=0)
