"""When to look at the triggers: soon after somebody said something, and now and then anyway."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final

from aiokafka.errors import KafkaError

from infra.errors import BrokerUnavailable
from infra.health import Health
from infra.kafka.clients import batches, reader_client
from infra.logging import get_logger
from schemas.topics import FEEDBACK

_ANYWAY_S: Final = 60.0
_ARCHIVED_WITHIN_S: Final = 30.0
"""Feedback counts once the archive has it: for so long after a record the triggers are looked at again and again."""

_AGAIN_S: Final = 2.0

logger = get_logger(__name__)


class Wakeup:
    """Listens on the topic of feedback. It counts nothing: the store has all that was said, and each once."""

    def __init__(self) -> None:
        self._heard_at = float("-inf")
        self._looked_at = float("-inf")

    def is_due(self) -> bool:
        """Whether the triggers should be looked at now; they have been, then."""
        now = monotonic()
        due = now - self._heard_at < _ARCHIVED_WITHIN_S or now - self._looked_at >= _ANYWAY_S
        if due:
            self._looked_at = now
        return due

    @asynccontextmanager
    async def listening(self, bootstrap: str, health: Health) -> AsyncIterator[None]:
        """Listen for as long as the context lasts."""
        task = asyncio.create_task(self._listen(bootstrap, health))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _listen(self, bootstrap: str, health: Health) -> None:
        while True:
            try:
                async with reader_client(bootstrap, FEEDBACK, from_start=False) as reader:
                    health.says(FEEDBACK, "listening")
                    async for records in batches(reader):
                        if records:
                            self._heard_at = monotonic()
            except (KafkaError, BrokerUnavailable) as error:
                health.says(FEEDBACK, f"not listening: {error}")
                logger.warning("feedback is not heard, trying again", why=str(error))
            await asyncio.sleep(_AGAIN_S)
