"""Fetching that a record nobody can decode does not stop.

aiokafka raises when it meets a record with, say, a header name that is not UTF-8. It raises again at every
further fetch, so the partition stands still for ever; and what other partitions gave in the same call is
lost, as their positions have moved. Here such a record becomes an ``UnreadableRecord`` in its place, and so
do those behind it in the same producer's batch, which aiokafka cannot decode without it.
"""

from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CorruptRecordException
from aiokafka.structs import ConsumerRecord, TopicPartition

Fetched = Mapping[TopicPartition, list[ConsumerRecord]]

UNDECODABLE = (UnicodeDecodeError, CorruptRecordException)


@dataclass
class UnreadableRecord(ConsumerRecord):  # type: ignore[misc] # aiokafka has no types
    """A record that the client library cannot decode: only its place is known."""

    why: str = ""


async def fetch(
    consumer: AIOKafkaConsumer, partitions: AbstractSet[TopicPartition], fetch_records: Callable[[], Awaitable[Fetched]]
) -> Fetched:
    """What ``fetch_records`` returns, or the next records up to the one that it fails on, or that one itself.

    Runs on the consumer's own loop. Leans on aiokafka 0.14: ``Fetcher._records``, the results that wait to be
    drained, and on their iterators ending when they raise.

    Args:
        consumer: The consumer that ``fetch_records`` drains.
        partitions: The partitions that it may return records of.
        fetch_records: The ordinary fetch.
    """
    before = {partition: _position(consumer, partition) for partition in partitions}
    try:
        return await fetch_records()
    except UNDECODABLE as error:
        broken = _broken(consumer)
        if not broken:
            raise
        for partition in consumer.assignment() & partitions:
            await _seek_back(consumer, partition, before.get(partition))
        return await _step_over(consumer, *broken, error)


def _position(consumer: AIOKafkaConsumer, partition: TopicPartition) -> int | None:
    assignment = consumer._subscription.subscription.assignment
    if partition not in assignment.tps:
        return None
    state = assignment.state_value(partition)
    return state.position if state.has_valid_position else None


def _broken(consumer: AIOKafkaConsumer) -> tuple[TopicPartition, int] | None:
    """The partition whose records could not be decoded, and the offset it stopped at."""
    for partition, result in consumer._fetcher._records.items():
        records: Any = getattr(result, "_partition_records", None)
        iterator = getattr(records, "_records_iterator", None)
        if iterator is not None and iterator.gi_frame is None:  # it raised
            return partition, records.next_fetch_offset
    return None


async def _seek_back(consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int | None) -> None:
    if offset is None:  # the position was found during the failed fetch: find it again
        offset = await consumer.committed(partition)
    if offset is None:
        await consumer.seek_to_beginning(partition)
    else:
        consumer.seek(partition, offset)


async def _step_over(consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int, error: Exception) -> Fetched:
    position = await consumer.position(partition)
    if position < offset:  # first the good ones before it
        fetched: Fetched = await consumer._fetcher.fetched_records([partition], 1.0, max_records=offset - position)
        return fetched
    consumer.seek(partition, offset + 1)
    record = UnreadableRecord(
        partition.topic,
        partition.partition,
        offset,
        0,
        0,
        None,
        None,
        None,
        -1,
        -1,
        (),
        f"{type(error).__name__}: {error}",
    )
    return {partition: [record]}
