"""Follows a compacted topic outside any group: all that stands first, then what comes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Generic, Protocol, TypeVar

from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from infra.errors import BrokerUnavailable
from infra.health import Health
from infra.kafka.clients import batches, reader_client
from infra.kafka.reader import Reader
from infra.logging import get_logger

_AGAIN_S = 2.0
_STOP_S = 2.0

S = TypeVar("S")

logger = get_logger(__name__)


class Table(Protocol[S]):
    """What the records of a topic come to."""

    def begin(self, partitions: int) -> S:
        """Nothing yet; called again whenever the topic is read anew."""

    def take(self, record: ConsumerRecord, state: S) -> None:
        """Add a record; one that makes no sense is passed over, never an error."""

    def put(self, state: S) -> None:
        """All that is known: once everything was read that was there, and whenever more came."""


class Follower(Generic[S]):
    """Reads a topic from its beginning to its end, then goes on; anew after every break.

    Args:
        topic: A compacted topic.
        table: Gets the records.
        what: What they say, for messages.
    """

    def __init__(self, topic: str, table: Table[S], what: str) -> None:
        self._topic = topic
        self._table = table
        self._what = what
        self._known = asyncio.Event()
        self._following: asyncio.Future[None] = asyncio.Future()

    @asynccontextmanager
    async def following(self, bootstrap: str, health: Health) -> AsyncIterator[None]:
        """Follow for as long as the context lasts; ``known`` says when all that stands was read.

        Args:
            bootstrap: ``host:port`` of the brokers.
            health: Told what is waited for, and that nothing is followed any more.
        """
        health.waits_for(self._topic, f"reading {self._what}")
        self._following = asyncio.create_task(self._follow(bootstrap, health))
        health.add_liveness(self._topic, self._ended)
        try:
            yield
        finally:
            self._following.cancel()
            await asyncio.wait({self._following}, timeout=_STOP_S)

    async def known(self) -> None:
        """Return once all that stands is known.

        Raises:
            Exception: What ended the following.
        """
        waiting = asyncio.create_task(self._known.wait())
        either: set[asyncio.Future[Any]] = {self._following, waiting}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if self._following.done():
                self._following.result()
        finally:
            waiting.cancel()

    def _ended(self) -> str | None:
        task = self._following
        if not task.done() or task.cancelled():
            return None
        return f"{self._what} is not followed: {task.exception()!r}"

    async def _follow(self, bootstrap: str, health: Health) -> None:
        while True:
            try:
                async with reader_client(bootstrap, self._topic, from_start=True) as reader:
                    await self._read(reader, health)
            except (KafkaError, BrokerUnavailable) as error:
                logger.warning("topic is not followed, trying again", topic=self._topic, why=str(error))
            await asyncio.sleep(_AGAIN_S)

    async def _read(self, reader: Reader, health: Health) -> None:
        """Read to the end, then put what was found in place of what was known, and go on."""
        ends = await reader.end_offsets(reader.assignment())
        state, caught_up = self._table.begin(len(ends)), False
        async for records in batches(reader):
            for record in records:
                self._table.take(record, state)
            if caught_up or all([await reader.position(one) >= end for one, end in ends.items()]):
                caught_up = True
                self._table.put(state)
                health.has(self._topic)
                self._known.set()
