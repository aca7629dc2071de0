"""Publishes at a steady rate, each event once, whatever the broker goes through."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from tests.chaos.events import Event, Events
from tests.chaos.verify import SOURCE

_BROKER_AWAY_S: Final = 300
_BATCH_BYTES: Final = 512 << 10  # room for what comes while the broker is away; one record may be larger
_MOST_BYTES: Final = 2 << 20
_TICK_S: Final = 0.02


class Publisher:
    """The steady flow, and what the schedule throws in between.

    Args:
        producer: Idempotent, so that no retry doubles or reorders.
        events: Makes the events.
    """

    def __init__(self, producer: AIOKafkaProducer, events: Events) -> None:
        self.sent = 0
        """Events handed to the client."""
        self.delivered = 0
        """Events that the broker has acknowledged."""
        self.dead: set[bytes] = set()
        """Ids of events that must end as dead letters."""
        self.events = events
        self._producer = producer
        self._lost: list[BaseException] = []

    async def flow(self, count: int, lasts_s: float, is_over: Callable[[], bool], told: Callable[[int], None]) -> None:
        """Publish the steady flow: ``count`` events, evenly over ``lasts_s`` seconds.

        While the faults are not over by then, it goes on at the same rate, so that none happens in silence.
        """
        started, number = monotonic(), 0
        while number < count or not is_over():
            due = int((monotonic() - started) / lasts_s * count) + 1
            due = due if number >= count else min(count, due)
            await self.publish(self.events.steady(one) for one in range(number, due))
            number = due
            told(number)
            await asyncio.sleep(_TICK_S)

    async def publish(self, events: Iterable[Event]) -> None:
        """Hand events to the client, in order; waits while its buffer is full."""
        for event in events:
            if event.dead:
                self.dead.add(event.event_id.bytes)
            done = await self._producer.send(SOURCE, event.value, key=event.key, headers=event.all_headers)
            self.sent += 1
            done.add_done_callback(self._note)

    async def flush(self) -> None:
        """Wait until the broker has everything.

        Raises:
            KafkaError: It did not take an event; the run proves nothing then.
        """
        await self._producer.flush()
        if self._lost:
            raise self._lost[0]

    def _note(self, done: "asyncio.Future[Any]") -> None:
        if done.cancelled() or (error := done.exception()) is None:
            self.delivered += not done.cancelled()
        else:
            self._lost.append(error)


@asynccontextmanager
async def publisher(bootstrap: str, events: Events) -> AsyncIterator[Publisher]:
    """A publisher, connected."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        request_timeout_ms=_BROKER_AWAY_S * 1_000,
        max_batch_size=_BATCH_BYTES,
        max_request_size=_MOST_BYTES,
    )
    await producer.start()
    try:
        yield Publisher(producer, events)
    finally:
        await producer.stop()
