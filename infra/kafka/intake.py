"""What comes in: when the next batch is taken, how it is cut, and what is given back."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aiokafka.structs import ConsumerRecord, TopicPartition
from faust.types import TP

from infra.kafka.batching import Batching
from infra.kafka.cut import cut, payload_bytes
from infra.kafka.fetch import Fetched, fetch
from infra.kafka.ledger import Ledger, RecordBatch
from infra.kafka.positions import backlog, give_back, position_of, skip, unread
from infra.kafka.tries import Tries
from infra.metrics import stream as metrics

if TYPE_CHECKING:
    from infra.kafka.consumer import Consumer

T = TypeVar("T")

_POLL_S: Final = 1.0  # how long a fetch waits for a first record; also bounds how late a stop is noticed
_NO_PARTITIONS_PAUSE_S: Final = 0.2
_SUSPECT_POLL_S: Final = 0.1
HAND_OVER_S: Final = 3.0


class Intake:
    """Takes records from the broker just in time, and hands them on as batches.

    A batch is taken when nothing waits for work any more, so that it holds all that has come meanwhile. Only when
    a whole further batch waits at the broker is it taken beforehand, so that its records are decoded while the
    model is busy. At most ``max_in_flight`` batches are open.

    Args:
        consumer: Faust's consumer, whose thread fetches.
        batching: Sizes and waits.
        tries: Which partitions are suspect.
    """

    def __init__(self, consumer: "Consumer", batching: Batching, tries: Tries) -> None:
        self.ledger = Ledger()
        self.tries = tries
        self._consumer = consumer
        self._batching = batching
        self._room = asyncio.Event()
        self._turn = 0
        self._flow = 0  # goes up whenever the flow stops, so that whoever holds records knows it was overtaken
        self._known_batches = 0
        self._idle_since: float | None = None
        self._fetching_since: float | None = None

    async def take(self) -> None:
        """Deliver the next batch, or come back without one after at most a second."""
        flow = self._flow
        if not self.tries.counted:
            await self._consumer.learn_topics()
            await self._on_thread(self.tries.count)
        elif not self._has_room():
            self._room.clear()
            await self._consumer.wait(self._room.wait())
        elif suspects := self.tries.suspects:
            await self._take_suspects(flow, suspects)
        else:
            await self._deliver(flow, await self._collect(flow, _POLL_S))

    def stop(self) -> None:
        """The flow stops: whoever waits for room sees it, and what was fetched is given back."""
        self._flow += 1
        self._fetching_since = None  # a fetch that is open now ends with the rebalance, however long that takes
        self._room.set()

    def forget(self) -> None:
        """The consumer goes back to the committed offsets: all that is under way will be fetched again."""
        self.ledger.forget()
        self.tries.forget()
        self._room.set()

    def settle(self) -> None:
        """A batch was acknowledged."""
        self.ledger.settle()
        self.tries.progressed(self.ledger.finished)
        self._count_open()
        self._room.set()

    async def hand_over(self) -> None:
        """Commit what is done, and leave the partitions without a note; give up soon, as the broker may be away."""
        self._consumer.stop_flow()  # no note may follow
        with suppress(TimeoutError):
            async with asyncio.timeout(HAND_OVER_S):
                await self._consumer.commit()
                await self._on_thread(self.tries.hand_over)

    @property
    def stuck_s(self) -> float:
        """Seconds for which records wait, there is room for them, and yet none come; 0 when all is well."""
        began = [since for since in (self._idle_since, self._fetching_since) if since is not None]
        return monotonic() - min(began) if began else 0.0

    async def watch(self) -> None:
        """Ask the broker whether records wait that do not come; call it every few seconds."""
        consumer, waits = self._consumer, False
        since, self._idle_since = self._idle_since, None  # it stays so when the broker does not answer
        if consumer.flow_active and self._has_room() and (partitions := consumer.assignment()):
            ends = await consumer.highwaters(*partitions)
            waits = unread(consumer.client, ends) > 0
        came = self._batching.batches != self._known_batches  # since the last look
        self._known_batches = self._batching.batches
        if waits and not came and self._has_room():
            self._idle_since = monotonic() if since is None else since

    def _has_room(self) -> bool:
        count = len(self.ledger)
        if not count:
            return True
        if self.tries.suspects or count >= self._batching.limits.max_in_flight:
            return False
        return not self.ledger.in_work or backlog(self._consumer.client) >= self._batching.limit

    async def _collect(self, flow: int, timeout_s: float, leave: frozenset[TP] = frozenset()) -> list[ConsumerRecord]:
        limit = self._batching.limit
        partitions = self._consumer._get_active_partitions() - leave
        records = await self._fetch(timeout_s, limit, partitions)
        wait_s = self._batching.wait_s(len(records)) if 0 < len(records) < limit and flow == self._flow else 0.0
        if wait_s:
            await asyncio.sleep(wait_s)
            if flow == self._flow:
                records += await self._fetch(0, limit - len(records), partitions)
        if records:
            metrics.BATCH_WAIT.observe(wait_s)
        return records

    async def _fetch(self, timeout_s: float, max_records: int, partitions: AbstractSet[TP]) -> list[ConsumerRecord]:
        consumer = self._consumer
        if not partitions:
            await consumer.sleep(_NO_PARTITIONS_PAUSE_S)
            return []
        drain = partial(
            consumer._thread._fetch_records,
            consumer.client,
            set(partitions),
            timeout=timeout_s,
            max_records=max_records,
        )
        self._fetching_since = monotonic()
        try:
            fetched: Fetched = await self._on_thread(fetch, frozenset(partitions), drain)
        finally:
            self._fetching_since = None
        return [record for records in fetched.values() for record in records]

    async def _deliver(self, flow: int, records: Sequence[ConsumerRecord]) -> None:
        for start, end, size_bytes in cut(records, self._batching.limits.max_bytes):
            while flow == self._flow and start and len(self.ledger) >= self._batching.limits.max_in_flight:
                self._room.clear()
                await self._consumer.wait(self._room.wait())
            batch = self._batch(records[start:end], size_bytes)
            if self.tries.unproven & batch.next_offsets.keys() and flow == self._flow:
                await self._on_thread(self.tries.begin, batch.next_offsets)
            if flow != self._flow or not self._consumer.flow_active:
                # aiokafka's position has moved past these records: without a seek they would be lost when the
                # flow resumes on the same assignment, as they are in stock getmany.
                await self._on_thread(give_back, records[start:])
                return
            await self._hand_on(batch)

    async def _take_suspects(self, flow: int, suspects: frozenset[TP]) -> None:
        """A few records of a suspect partition, then a batch of the others: never both in hand."""
        self._turn += 1
        partition = sorted(suspects)[self._turn % len(suspects)]
        batch = await self._suspect_batch(flow, partition)
        if flow != self._flow:
            return
        if batch is not None:
            await self._hand_on(batch)
            while flow == self._flow and len(self.ledger):
                self._room.clear()
                await self._consumer.wait(self._room.wait())
            await self._consumer.commit()  # what is done is no longer in hand
        else:
            await self._on_thread(self.tries.retract, partition)
            if (position := position_of(self._consumer.client, TopicPartition(*partition))) and flow == self._flow:
                self.tries.progressed({partition: position})  # where compaction has left nothing
        if flow == self._flow and self._consumer._get_active_partitions() - suspects:
            await self._deliver(flow, await self._collect(flow, 0, leave=suspects))

    async def _suspect_batch(self, flow: int, partition: TP) -> RecordBatch | None:
        if (unreadable := self.tries.unreadable) is not None:
            partition, offset = unreadable
            await self._on_thread(skip, TopicPartition(*partition), offset)
            return self._batch([_unread(partition, offset)], 0, self.tries.condemned_after(partition))
        count, start = self.tries.at_a_time(partition), self.tries.offset(partition)
        await self._on_thread(self.tries.begin, {partition: start + count})
        records = await self._fetch(_SUSPECT_POLL_S, count, {partition}) if flow == self._flow else []
        if records and flow == self._flow:
            self.tries.starts_at(partition, records[0].offset)
            batch = self._batch(records, payload_bytes(records), self.tries.condemned_after(partition))
            if batch.next_offsets[partition] != start + count:
                await self._on_thread(self.tries.begin, batch.next_offsets)
            if flow == self._flow:
                return batch
        await self._on_thread(give_back, records)
        return None

    def _batch(self, records: Sequence[ConsumerRecord], size_bytes: int, condemned_after: int = 0) -> RecordBatch:
        batch = RecordBatch(records, self._consumer.app.consumer_generation_id, size_bytes, condemned_after)
        batch.on_worked = self._room.set
        batch.on_exonerated = self.hand_over
        if not condemned_after:
            batch.on_done = partial(self._batching.done, len(records))
        return batch

    async def _hand_on(self, batch: RecordBatch) -> None:
        records: Sequence[Any] = batch.value or ()
        count = len(records)
        self._batching.arrived(count, batch.size_bytes)
        self.ledger.add(batch)
        self._count_open()
        for topic, received in Counter([record.topic for record in records]).items():
            metrics.RECEIVED.labels(topic=topic).inc(received)
        metrics.BATCH_EVENTS.observe(count)
        metrics.BATCH_BYTES.observe(batch.size_bytes)
        await self._consumer.callback(batch)

    def _count_open(self) -> None:
        metrics.OPEN_BATCHES.set(len(self.ledger))
        metrics.OPEN_BYTES.set(self.ledger.size_bytes)

    async def _on_thread(self, function: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        """Run a coroutine function on the consumer thread's loop, with aiokafka's consumer before its arguments."""
        result: T = await self._consumer._thread.call_thread(function, self._consumer.client, *arguments)
        return result


def _unread(partition: TP, offset: int) -> ConsumerRecord:
    """Stands for a record that cannot be fetched without harm."""
    return ConsumerRecord(partition.topic, partition.partition, offset, 0, 0, None, None, None, -1, -1, ())
