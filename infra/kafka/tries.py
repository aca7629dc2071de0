"""Finding the event that ends the process: how often each partition's head was begun is kept with its offset.

A process that is killed, by the kernel for its memory or by itself for a hung model, leaves no word. So whoever
gets a partition first commits its unchanged offset with a note that it was begun. The note follows the partition
to any host. A commit of progress and a clean hand-over leave no note.

A partition that comes with a note is *suspect*: as far as the ended process may have had its records in hand,
they are taken alone, one at a time, each noted before it is begun and committed when it is done. So the next
crash leaves the guilty event at the head, noted once more. At its last try the head is *condemned*: it becomes a
dead letter unseen by the model. Where even fetching it ends the process, the try after that skips it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.types import TP

from infra.logging import get_logger

_NOTE: Final = re.compile(r"aisle tries=(\d{1,9})")  # other releases may add to it

logger = get_logger(__name__)


@dataclass(slots=True)
class _Head:
    """The first record of a partition that was not handed over yet."""

    offset: int
    tries: int
    """Of this head, the one to come included."""
    suspect_until: int


class Tries:
    """The tries of the partitions in hand. The coroutines run on the consumer thread's loop.

    Args:
        limit: The try at which a head is condemned; at least 2.
        span: How many records after a head may have been in hand when a process ended.
    """

    def __init__(self, limit: int, span: int) -> None:
        self._limit = limit
        self._span = span
        self._heads: dict[TP, _Head] = {}
        self.counted = False

    @property
    def suspects(self) -> frozenset[TP]:
        """The partitions whose records are to be taken alone."""
        return frozenset(partition for partition, head in self._heads.items() if head.tries > 1)

    def condemned_after(self, partition: TP) -> int:
        """The number of tries if this one is the last for the partition's head, or beyond; else 0."""
        tries = self._heads[partition].tries
        return tries if tries >= self._limit else 0

    @property
    def unreadable(self) -> tuple[TP, int] | None:
        """A head, and its offset, that was not even fetched at its last try."""
        beyond = ((tp, head.offset) for tp, head in self._heads.items() if head.tries > self._limit)
        return next(beyond, None)

    def forget(self) -> None:
        """The partitions are no longer in hand."""
        self._heads.clear()
        self.counted = False

    def progressed(self, offsets: Mapping[TP, int]) -> None:
        """Everything up to these offsets is done."""
        for partition, offset in offsets.items():
            if (head := self._heads.get(partition)) is not None and offset > head.offset:
                if head.tries == 1 or offset >= head.suspect_until:
                    del self._heads[partition]
                else:
                    head.offset, head.tries = offset, 2

    def note(self, partition: TP) -> str:
        """What to commit beside an offset of progress: the next one is suspect from its first try, or nothing."""
        return _note(1) if partition in self._heads else ""

    async def count(self, consumer: AIOKafkaConsumer) -> None:
        """Find the notes of the assigned partitions, and note those that are begun now.

        Only partitions that have something to read: an idle one that is assigned often is not suspect.
        """
        partitions = list(consumer.assignment())
        self._heads.clear()
        try:
            found = await consumer._coordinator.fetch_committed_offsets(partitions)
            first = await consumer.beginning_offsets(partitions)
            after = await consumer.end_offsets(partitions)
            for partition in partitions:
                committed = found.get(partition)
                if committed is None or committed.offset < first[partition]:  # none yet, or its record has expired
                    offset, tries = first[partition], 1
                else:
                    offset, tries = committed.offset, _tries(committed.metadata) + 1
                if offset < after[partition]:
                    until = min(offset + self._span, after[partition])
                    self._heads[TP(*partition)] = _Head(offset, tries, until)
            await _commit(
                consumer, {tp: (head.offset, _note(1)) for tp, head in self._heads.items() if head.tries == 1}
            )
        except KafkaError as error:
            # The group may have rebalanced meanwhile, or the broker went away: a try that goes uncounted is no harm.
            logger.warning("tries not counted", why=repr(error))
        self.counted = True
        if suspects := self.suspects:
            heads = {f"{tp.topic}/{tp.partition}": self._heads[tp].offset for tp in suspects}
            logger.warning("careful mode: a process ended while it had these partitions in hand", heads=heads)

    async def begin(self, consumer: AIOKafkaConsumer, partition: TP) -> None:
        """Note, before it is taken, that a suspect partition's head is begun."""
        head = self._heads[partition]
        try:
            await _commit(consumer, {partition: (head.offset, _note(head.tries))})
        except KafkaError as error:
            logger.warning("try not counted", why=repr(error))

    async def hand_over(self, consumer: AIOKafkaConsumer) -> None:
        """Take the notes back: this process ends its work here as it should, or not by an event's fault."""
        try:
            await _commit(consumer, {tp: (head.offset, "") for tp, head in self._heads.items()})
        except KafkaError as error:
            logger.warning("tries not taken back", why=repr(error))
        self._heads.clear()


async def _commit(consumer: AIOKafkaConsumer, notes: Mapping[TP, tuple[int, str]]) -> None:
    assigned = consumer.assignment()
    offsets = {TopicPartition(*tp): OffsetAndMetadata(*note) for tp, note in notes.items()}
    if offsets := {tp: offset for tp, offset in offsets.items() if tp in assigned}:
        await consumer.commit(offsets)


def _note(tries: int) -> str:
    return f"aisle tries={tries}"


def _tries(note: str) -> int:
    found = _NOTE.search(note or "")
    return int(found[1]) if found else 0
