"""How far behind workers are, told by a process that is not one of them: those that stand still tell nothing."""

import asyncio
from typing import Final

from infra.endpoints import find_kafka
from infra.kafka.lag import read_offsets
from infra.logging import get_logger
from infra.metrics.monitor import LAG, TOPIC_END
from infra.settings import Settings
from schemas.errors import AisleError

_EVERY_S: Final = 10.0

logger = get_logger(__name__)


async def watch_lag(settings: Settings) -> None:
    """Read it again and again, until cancelled; nothing is shown while it cannot be told, for whatever reason."""
    while True:
        try:
            await show_lag(find_kafka(settings))
        except AisleError as error:
            _show_nothing(error.message)
        except Exception as error:  # nobody looks at this task: what it showed last would stay for good
            logger.exception("reading how far behind workers are failed, trying again")
            _show_nothing(repr(error))
        await asyncio.sleep(_EVERY_S)


def _show_nothing(why: str) -> None:
    LAG.clear()
    TOPIC_END.clear()
    logger.warning("cannot tell how far behind workers are", why=why)


async def show_lag(bootstrap: str) -> None:
    """Read it once.

    Raises:
        BrokerUnavailable: No broker answers.
    """
    found = await read_offsets(bootstrap)
    for place, end in found.ends.items():
        TOPIC_END.labels(topic=place.topic, partition=place.partition).set(end)
    LAG.clear()
    for group, of in found.lags.items():
        for place, lag in of.items():
            if lag is not None:
                LAG.labels(group=group, topic=place.topic, partition=place.partition).set(lag)
