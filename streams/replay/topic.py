"""Events of a topic as they came, merged by time, and never further than its end was when the replay began."""

from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from heapq import heappop, heappush
from time import monotonic
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord, TopicPartition

from infra.errors import BrokerUnavailable
from infra.kafka.fetch import fetch
from schemas.headers import REPLAY
from streams.decode import id_of
from streams.replay.event import Event, Positions

_POLL_MS: Final = 500
_FETCHED: Final = 500  # records of a partition that are held at most, a fetch at a time
_SILENCE_S: Final = 30.0

Spans = dict[int, tuple[int, int]]
"""By partition, the first offset and the one behind the last."""


@dataclass(frozen=True, slots=True)
class RecordChoice:
    """Which records; None means any. ``since`` is included, ``until`` is not."""

    since: datetime | None = None
    until: datetime | None = None
    keys: frozenset[bytes] | None = None
    replayed: bool = False

    def reason_against(self, record: ConsumerRecord) -> str | None:
        """Why a record is passed over; None for one that is wanted."""
        if self.keys is not None and record.key not in self.keys:
            return "another key"
        if self.since is not None and record.timestamp < milliseconds(self.since):
            return "too early"
        if self.until is not None and record.timestamp >= milliseconds(self.until):
            return "too late"
        if not self.replayed and any(name == REPLAY for name, _ in record.headers):
            return "sent by a replay"
        return None


def milliseconds(at: datetime) -> int:
    """Since 1970."""
    return round(at.timestamp() * 1000)


async def spans_of(
    reader: AIOKafkaConsumer,
    topic: str,
    partitions: Sequence[int],
    choice: RecordChoice,
    offsets: Mapping[int, tuple[int | None, int | None]],
) -> Spans:
    """What there is to read now.

    Args:
        reader: Connected, outside any group.
        topic: The topic.
        partitions: Those that are wanted.
        choice: Its earliest time narrows the spans, by the broker's index.
        offsets: Narrow a partition's further: the first, and the last.
    """
    places = [TopicPartition(topic, number) for number in partitions]
    firsts, ends = await reader.beginning_offsets(places), await reader.end_offsets(places)
    if choice.since is not None:
        # Only the beginning: behind the first record of a time others may be of a time before it.
        found = await reader.offsets_for_times(dict.fromkeys(places, milliseconds(choice.since)))
        firsts = {place: ends[place] if there is None else there.offset for place, there in found.items()}
    spans = {}
    for place in places:
        first, last = offsets.get(place.partition, (None, None))
        start = firsts[place] if first is None else max(first, firsts[place])
        end = ends[place] if last is None else min(last + 1, ends[place])
        if start < end:
            spans[place.partition] = start, end
    return spans


@dataclass(slots=True)
class TopicSource:
    """The records of a topic between fixed offsets. What is published meanwhile is not among them.

    Args:
        reader: Connected, without topics, outside any group.
        topic: The topic.
        spans: What to read.
        choice: Which of the records there.
        topic_id: The brokers' own, by which it differs from one that was made anew.
    """

    reader: AIOKafkaConsumer
    topic: str
    spans: Spans
    choice: RecordChoice = field(default_factory=RecordChoice)
    topic_id: str | None = None
    passed_over: Counter[str] = field(default_factory=Counter)

    async def total(self) -> int:
        """Offsets to read; a topic that was cleaned has fewer records."""
        return sum(end - start for start, end in self.spans.values())

    async def events(self, after: Positions) -> AsyncIterator[Event]:
        """The events by time; those of a partition in its own order.

        Raises:
            BrokerUnavailable: Nothing comes for half a minute.
        """
        ends = {}
        for number, (start, end) in self.spans.items():
            if (first := max(start, int(after.get(str(number), -1)) + 1)) < end:
                ends[TopicPartition(self.topic, number)] = first, end
        self.reader.assign(list(ends))
        for place, (first, _) in ends.items():
            self.reader.seek(place, first)
        async for record in _merged(self.reader, {place: end for place, (_, end) in ends.items()}):
            if record.offset < ends[TopicPartition(record.topic, record.partition)][0]:
                self.passed_over["before what was asked for"] += (
                    1  # what was asked for is gone, and aiokafka began anew
                )
                continue
            if (against := self.choice.reason_against(record)) is not None:
                self.passed_over[against] += 1
                continue
            yield _event(record)


def _event(record: ConsumerRecord) -> Event:
    return Event(
        event_id=id_of(record),
        key=record.key,
        value=record.value,
        headers=record.headers,
        origin=f"{record.topic}/{record.partition}/{record.offset}",
        part=str(record.partition),
        position=record.offset,
        at_ms=record.timestamp if record.timestamp >= 0 else None,
        partition=record.partition,
    )


async def _merged(reader: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> AsyncIterator[ConsumerRecord]:
    """Records before these offsets: always the earliest of those that are next in their partitions."""
    held = {place: deque[ConsumerRecord]() for place in ends}
    heads: list[tuple[int, int, TopicPartition]] = []
    hungry = set(ends)
    while True:
        await _fill(reader, held, hungry, ends)
        for place in hungry & held.keys():
            heappush(heads, (held[place][0].timestamp, place.partition, place))
        if not heads:
            return
        _, _, place = heappop(heads)
        yield held[place].popleft()
        hungry = set()
        if held[place]:
            heappush(heads, (held[place][0].timestamp, place.partition, place))
        else:
            hungry.add(place)


async def _fill(
    reader: AIOKafkaConsumer,
    held: dict[TopicPartition, deque[ConsumerRecord]],
    hungry: set[TopicPartition],
    ends: dict[TopicPartition, int],
) -> None:
    """Fetch until each of these partitions has a record, or is at its end and no longer held."""
    heard = monotonic()
    waiting = {place for place in hungry if place in held}
    while waiting:
        get = partial(reader.getmany, *waiting, timeout_ms=_POLL_MS, max_records=_FETCHED)
        for place, records in (await fetch(reader, waiting, get)).items():
            heard = monotonic()
            held[place].extend(record for record in records if record.offset < ends[place])
        for place in list(waiting):
            if held[place]:
                waiting.remove(place)
            elif await reader.position(place) >= ends[place]:
                waiting.remove(place)
                del held[place]
        if monotonic() - heard > _SILENCE_S:
            raise BrokerUnavailable(f"Nothing more comes of {', '.join(sorted(map(str, waiting)))}.")
