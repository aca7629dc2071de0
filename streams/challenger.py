"""Which model is tried in the shadow, as models.events says."""

import asyncio
from contextlib import suppress

from aiokafka.structs import ConsumerRecord

from infra.kafka.follower import Follower
from infra.model_events import Standing
from schemas.model_event import ModelEvent
from schemas.topics import MODELS_EVENTS


class Challenger:
    """The decision on a model to try, as this worker knows it."""

    def __init__(self) -> None:
        self._told: ModelEvent | None = None
        self._news = asyncio.Event()

    def follower(self) -> Follower[Standing]:
        """What reads the topic for this."""
        return Follower(MODELS_EVENTS, self, "which model is in the shadow")

    def begin(self, partitions: int) -> Standing:  # noqa: ARG002 - the follower's
        """Nothing is decided yet."""
        return Standing()

    def take(self, record: ConsumerRecord, state: Standing) -> None:
        """Add a record of the topic."""
        state.take(record)

    def put(self, state: Standing) -> None:
        """This is what the topic says by now."""
        if state.tried != self._told:
            self._told = state.tried
            self._news.set()

    def now(self) -> ModelEvent | None:
        """The decision in force; None where no model is in the shadow."""
        return self._told

    async def other_than(self, known: ModelEvent | None, within_s: float | None = None) -> None:
        """Return once the decision in force is another than the one that is known, or the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self._told == known:
                    self._news.clear()
                    await self._news.wait()
