"""Waiting for answers: every gateway follows predictions.out and products.dlq whole, outside any group."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import islice
from time import monotonic
from typing import Final

from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition

from infra.errors import BrokerUnavailable
from infra.health import Health
from infra.kafka.clients import batches, reader_client
from infra.kafka.reader import Reader
from infra.logging import get_logger
from schemas.headers import EVENT_ID, last_text
from schemas.topics import PREDICTIONS_OUT, PRODUCTS_DLQ
from workers.gateway.errors import Busy

_TOPICS: Final = (PREDICTIONS_OUT, PRODUCTS_DLQ)
_AGAIN_S: Final = 1.0
_LOOK_EVERY_S: Final = 2.0
_ANSWER_S: Final = 3.0
_STOP_S: Final = 2.0
_FEED: Final = 1_000
_LATE_S: Final = 3_600.0
_LATE_AT_A_TIME: Final = 100

logger = get_logger(__name__)

Answer = asyncio.Future[ConsumerRecord]


class Answers:
    """Gives what was answered to an event to whoever waits for it, now or later.

    Args:
        most: Events that may be waited for at a time; of those that were answered as many are kept for who asks again.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._expected: OrderedDict[str, Answer] = OrderedDict()
        self._since: dict[str, float] = {}
        self._answered: OrderedDict[str, Answer] = OrderedDict()
        self._places: dict[TopicPartition, int] = {}
        self._feeds: set[asyncio.Queue[ConsumerRecord]] = set()
        self.away: str | None = "the broker has not answered yet"
        """Why no answer can come now; None while all is well."""

    def expect(self, event_id: str) -> Answer | None:
        """What is known of an event: a future that has its answer, or will have it; None: it was never expected."""
        return self._expected.get(event_id) or self._answered.get(event_id)

    def await_(self, event_id: str) -> Answer:
        """Wait for an event from now on.

        Raises:
            Busy: Too many are waited for.
        """
        if (known := self.expect(event_id)) is not None:
            return known
        self._forget_late()
        if len(self._expected) >= self.most:
            raise Busy(f"{self.most:,} products wait for their answer already.", hint="Try again in a while.")
        answer: Answer = asyncio.get_running_loop().create_future()
        self._expected[event_id] = answer
        self._since[event_id] = monotonic()
        return answer

    def forget(self, event_id: str) -> None:
        """Wait no longer for an event that was never sent, or whose time is long over."""
        self._since.pop(event_id, None)
        if (answer := self._expected.pop(event_id, None)) is not None:
            answer.cancel()

    def _forget_late(self) -> None:
        """Wait no longer for what nobody may hear of any more; the store will have it."""
        for event_id in list(islice(self._expected, _LATE_AT_A_TIME)):
            if monotonic() - self._since[event_id] < _LATE_S:
                return
            self.forget(event_id)

    @asynccontextmanager
    async def feed(self) -> AsyncIterator[asyncio.Queue[ConsumerRecord]]:
        """All that is answered from now on; who reads too slowly misses some of it."""
        queue: asyncio.Queue[ConsumerRecord] = asyncio.Queue(_FEED)
        self._feeds.add(queue)
        try:
            yield queue
        finally:
            self._feeds.discard(queue)

    @asynccontextmanager
    async def following(self, bootstrap: str, health: Health) -> AsyncIterator[None]:
        """Follow the topics for as long as the context lasts; ready once every partition's end is known.

        Args:
            bootstrap: ``host:port`` of the brokers.
            health: Told what is waited for.
        """
        health.waits_for("answers", "reading the ends of the topics")
        task = asyncio.create_task(self._follow(bootstrap, health))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task}, timeout=_STOP_S)

    async def _follow(self, bootstrap: str, health: Health) -> None:
        while True:
            try:
                async with reader_client(bootstrap, *_TOPICS, from_start=False) as reader:
                    await self._place(reader)
                    watch = asyncio.create_task(self._watch(reader, health))
                    try:
                        async for records in batches(reader):
                            self._take(records)
                    finally:
                        watch.cancel()
            except (KafkaError, BrokerUnavailable, TimeoutError) as error:
                self._says(health, str(error))
            except Exception as error:  # whatever it is, nobody is answered while nothing follows
                logger.exception("following answers failed, trying again")
                self._says(health, repr(error))
            await asyncio.sleep(_AGAIN_S)

    async def _place(self, reader: Reader) -> None:
        """Begin behind what was read before, and where nothing was, behind what there is now."""
        async with asyncio.timeout(_ANSWER_S):
            ends = await reader.end_offsets(reader.assignment())
        if {place.topic for place in ends} != set(_TOPICS):
            raise BrokerUnavailable("The topics are not there.", hint="Run `aisle topics create`.")
        for place, end in ends.items():
            # A topic that was made anew ends before the place where the former one was read to.
            reader.seek(place, min(self._places.setdefault(place, end), end))

    async def _watch(self, reader: Reader, health: Health) -> None:
        """Ask for the broker's word again and again: a consumer alone never tells that nobody answers it."""
        while True:
            answered = False
            with suppress(TimeoutError, KafkaError):
                async with asyncio.timeout(_ANSWER_S):
                    answered = await reader._client.force_metadata_update()  # noqa: SLF001 - nothing else asks
            self._says(health, None if answered else "no Kafka broker answers")
            await asyncio.sleep(_LOOK_EVERY_S)

    def _says(self, health: Health, away: str | None) -> None:
        if away is None:
            health.has("answers")
        else:
            health.waits_for("answers", away)
        if away != self.away:
            if away is not None:
                logger.warning("answers cannot be followed", why=away)
            elif self.away is not None:
                logger.info("following answers")
        self.away = away

    def _take(self, records: Sequence[ConsumerRecord]) -> None:
        for record in records:
            self._places[TopicPartition(record.topic, record.partition)] = record.offset + 1
            identity = last_text(record.headers, EVENT_ID)
            if identity is not None:
                self._give(identity, record)
            for queue in self._feeds:
                with suppress(asyncio.QueueFull):
                    queue.put_nowait(record)

    def _give(self, event_id: str, record: ConsumerRecord) -> None:
        self._since.pop(event_id, None)
        answer = self._expected.pop(event_id, None)
        if answer is None:
            if event_id not in self._answered:
                return
            answer = asyncio.get_running_loop().create_future()  # a dead letter that was tried again, or a verdict
        if not answer.done():
            answer.set_result(record)
        self._answered[event_id] = answer
        if len(self._answered) > self.most:
            self._answered.popitem(last=False)
