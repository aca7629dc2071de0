"""Finding the event that ends the process, by notes that are kept with the offsets.

A process that is killed, by the kernel for its memory or by itself for a hung model, leaves no word. So before
records are handed on, their partition's unchanged offset is committed with a note of how far they reach. The
note follows the partition to any host. Progress and a clean hand-over leave none.

Who finds a note knows which records were in hand when a process ended. These are *suspect*: they are taken in
small batches, then one at a time, nothing else in hand beside them, each noted before and committed after. So
every further crash narrows them down. A record that was alone in hand at the last try but one is *condemned*:
it becomes a dead letter unseen by the model. If even fetching it ends the process, it is skipped by its offset.
"""

import asyncio
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.types import TP

from infra.kafka.membership import is_member
from infra.logging import get_logger

_NOTE: Final = re.compile(r"aisle (seen|tries)=(\d{1,9})(?: until=(\d{1,18}))?")  # other releases may add to it
_SMALL: Final = 32  # records of a suspect partition at a time, until so few are left that each goes alone
_FETCHES: Final = 2  # of a condemned head, before it is skipped: a process may have ended there for another reason

logger = get_logger(__name__)


@dataclass(slots=True)
class _Head:
    """A partition of which nothing was done yet, or whose records are suspect.

    Args:
        offset: Its first record.
        tries: The number of the next try; above 1 the records before ``until`` are suspect.
        until: Where the records that were in hand at the last try end.
        seen: How many processes in a row had the partition and handed nothing on.
    """

    offset: int
    tries: int = 1
    until: int = 0
    seen: int = 1

    @property
    def is_alone(self) -> bool:
        """Whether there is but one suspect record."""
        return self.until - self.offset <= 1

    @property
    def note(self) -> str:
        """What to leave while nothing of it is in hand."""
        return f"aisle seen={self.seen}" if self.tries == 1 else _note(self.tries - 1, self.until)


class Tries:
    """The notes of the partitions in hand. The coroutines run on the consumer thread's loop.

    Args:
        limit: The try at which a record that was alone is condemned; at least 4, as the third is the first alone.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._heads: dict[TP, _Head] = {}
        self.counted = False
        self._committing = asyncio.Lock()  # so that no note follows a hand-over

    @property
    def suspects(self) -> frozenset[TP]:
        """The partitions whose records are to be taken with nothing else in hand."""
        return frozenset(partition for partition, head in list(self._heads.items()) if head.tries > 1)

    @property
    def unproven(self) -> AbstractSet[TP]:
        """The partitions whose records are to be noted before they are handed on."""
        return self._heads.keys()

    def offset(self, partition: TP) -> int:
        """The offset of a partition's head."""
        return self._heads[partition].offset

    def at_a_time(self, partition: TP) -> int:
        """How many records of a suspect partition to take."""
        head = self._heads[partition]
        return 1 if head.tries > 2 or head.until - head.offset <= _SMALL else _SMALL

    def condemned_after(self, partition: TP) -> int:
        """The number of tries if the partition's head was alone at the last try but one, or later; else 0."""
        head = self._heads[partition]
        return head.tries if head.tries >= self._limit and head.is_alone else 0

    @property
    def unreadable(self) -> tuple[TP, int] | None:
        """A head, and its offset, whose fetch alone ended the process again and again."""
        beyond = self._limit + _FETCHES
        heads = list(self._heads.items())
        return next(((tp, head.offset) for tp, head in heads if head.tries >= beyond and head.is_alone), None)

    def forget(self) -> None:
        """The partitions are no longer in hand."""
        self._heads.clear()
        self.counted = False

    def progressed(self, offsets: Mapping[TP, int]) -> None:
        """Everything up to these offsets is done."""
        for partition, offset in offsets.items():
            if (head := self._heads.get(partition)) is not None and offset > head.offset:
                if head.tries == 1 or offset >= head.until:
                    del self._heads[partition]
                else:
                    head.offset = offset

    def note(self, partition: TP) -> str:
        """What to commit beside an offset of progress."""
        head = self._heads.get(partition)
        return "" if head is None or head.tries == 1 else head.note

    async def count(self, consumer: AIOKafkaConsumer) -> None:
        """Find the notes of the assigned partitions, and note that they have been seen.

        Only of partitions that have something to read: an idle one that is assigned often is not suspect.
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
                    head = _Head(first[partition])
                else:
                    head = _head(committed, self._limit)
                head.until = min(head.until, after[partition])
                if head.offset < after[partition]:
                    self._heads[TP(*partition)] = head
            await _commit(consumer, {tp: (head.offset, head.note) for tp, head in self._heads.items()})
        except KafkaError as error:
            # The group may have rebalanced meanwhile, or the broker went away: a try that goes uncounted is no harm.
            logger.warning("tries not counted", why=repr(error))
        self.counted = True
        if suspects := self.suspects:
            spans = {f"{tp.topic}/{tp.partition}": (self._heads[tp].offset, self._heads[tp].until) for tp in suspects}
            logger.warning("careful mode: a process ended while it had these records in hand", spans=spans)

    async def begin(self, consumer: AIOKafkaConsumer, ends: Mapping[TP, int]) -> None:
        """Note, before they are handed on, that records up to these offsets are in hand."""
        async with self._committing:
            notes = {}
            for partition, end in ends.items():
                if (head := self._heads.get(partition)) is not None:
                    if head.tries == 1:
                        head.until = end
                    notes[partition] = head.offset, _note(head.tries, end)
            try:
                await _commit(consumer, notes)
            except KafkaError as error:
                logger.warning("try not counted", why=repr(error))

    async def retract(self, consumer: AIOKafkaConsumer, partition: TP) -> None:
        """Note that nothing of a suspect partition is in hand after all."""
        async with self._committing:
            if (head := self._heads.get(partition)) is not None:
                try:
                    await _commit(consumer, {partition: (head.offset, head.note)})
                except KafkaError as error:
                    logger.warning("try not taken back", why=repr(error))

    def starts_at(self, partition: TP, offset: int) -> None:
        """The first record of a partition is here: what was before it was compacted away."""
        head = self._heads.get(partition)
        if head is not None and offset > head.offset:
            head.until = offset + 1 if head.is_alone else max(head.until, offset + 1)
            head.offset = offset

    async def hand_over(self, consumer: AIOKafkaConsumer) -> None:
        """Take the notes back: this process ends its work here as it should, or not by an event's fault."""
        async with self._committing:
            clean: dict[TP, tuple[int, str]] = {tp: (head.offset, "") for tp, head in self._heads.items()}
            self._heads.clear()
            try:
                await _commit(consumer, clean)
            except KafkaError as error:
                logger.warning("tries not taken back", why=repr(error))


def _head(committed: OffsetAndMetadata, limit: int) -> _Head:
    """What a note says of the records from its offset on."""
    offset = committed.offset
    found = _NOTE.search(committed.metadata or "")
    if found is None:
        return _Head(offset)
    number, until = int(found[2]), int(found[3] or 0)
    if found[1] == "seen":  # nothing was in hand: if that goes on, fetching may be what ends the process
        return _Head(offset, seen=number + 1) if number < limit else _Head(offset, 2, offset + 1)
    return _Head(offset, number + 1, until) if until > offset else _Head(offset)


async def _commit(consumer: AIOKafkaConsumer, notes: Mapping[TP, tuple[int, str]]) -> None:
    assigned = consumer.assignment() if is_member(consumer) else set()
    offsets = {TopicPartition(*tp): OffsetAndMetadata(*note) for tp, note in notes.items()}
    if offsets := {tp: offset for tp, offset in offsets.items() if tp in assigned}:
        await consumer.commit(offsets)


def _note(tries: int, until: int) -> str:
    return f"aisle tries={tries} until={until}"
