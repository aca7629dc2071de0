"""Fetching that a header name in bytes other than UTF-8 does not stop.

aiokafka raises when it meets such a record, and again at every further fetch, so the partition stands still
for ever; and what other partitions gave in the same call is lost, as their positions have moved. Here the
batch is fetched once more and decoded as Java clients do, with U+FFFD for what is no UTF-8.
"""

from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CorruptRecordException
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy
from aiokafka.structs import ConsumerRecord, TopicPartition

Fetched = Mapping[TopicPartition, list[ConsumerRecord]]


async def fetch(
    consumer: AIOKafkaConsumer, partitions: AbstractSet[TopicPartition], fetch_records: Callable[[], Awaitable[Fetched]]
) -> Fetched:
    """What ``fetch_records`` returns or, where it cannot decode a header name, that partition's next records.

    Runs on the consumer's own loop. Leans on aiokafka 0.14: ``Fetcher._records``, the results that wait to be
    drained, on their iterators ending when they raise, and on its record parser in Python.

    Args:
        consumer: The consumer that ``fetch_records`` drains.
        partitions: The partitions that it may return records of.
        fetch_records: The ordinary fetch.
    """
    before = {partition: _position(consumer, partition) for partition in partitions}
    try:
        return await fetch_records()
    except UnicodeDecodeError:
        broken = _broken(consumer)
        if broken is None:
            raise
        for partition in consumer.assignment():
            if partition in partitions:
                await _seek_back(consumer, partition, before.get(partition))
        records = await _decode_leniently(consumer, broken)
        consumer.seek(broken, records[-1].offset + 1)
        return {broken: records}


def _position(consumer: AIOKafkaConsumer, partition: TopicPartition) -> int | None:
    assignment = consumer._subscription.subscription.assignment
    if partition not in assignment.tps:
        return None
    state = assignment.state_value(partition)
    return state.position if state.has_valid_position else None


def _broken(consumer: AIOKafkaConsumer) -> TopicPartition | None:
    """The partition whose records could not be decoded: its iterator has ended by raising."""
    for partition, result in consumer._fetcher._records.items():
        records: Any = getattr(result, "_partition_records", None)
        iterator = getattr(records, "_records_iterator", None)
        if iterator is not None and iterator.gi_frame is None:
            return TopicPartition(*partition)
    return None


async def _seek_back(consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int | None) -> None:
    if offset is None:  # the position was found during the failed fetch: find it again
        offset = await consumer.committed(partition) if consumer._group_id else None
    if offset is None:
        await consumer.seek_to_beginning(partition)
    else:
        consumer.seek(partition, offset)


async def _decode_leniently(consumer: AIOKafkaConsumer, partition: TopicPartition) -> list[ConsumerRecord]:
    position = await consumer.position(partition)
    fetcher, client = consumer._fetcher, consumer._client
    wanted = [(partition.topic, [(partition.partition, position, fetcher._max_partition_fetch_bytes)])]
    request = FetchRequest(500, 1, fetcher._fetch_max_bytes, fetcher._isolation_level, wanted, rack_id="")
    response = await client.send(client.cluster.leader_for_partition(partition), request)
    content = response.topics[0][1][0][-1]
    records = [
        _consumer_record(partition, record)
        for batch in _batches(content)
        if not batch.is_control_batch
        for record in batch
        if record.offset >= position
    ]
    if not records:
        raise CorruptRecordException(f"{partition} has nothing to read at offset {position}")
    return records


class _LenientBytes(bytearray):
    """Bytes whose slices decode with U+FFFD for what is no UTF-8."""

    def __getitem__(self, key: Any) -> Any:
        part = super().__getitem__(key)
        return _LenientBytes(part) if isinstance(key, slice) else part

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:  # noqa: ARG002 - ours, always
        return super().decode(encoding, "replace")


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc] # aiokafka has no types
    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _LenientBytes(self._buffer)


def _batches(content: bytes) -> list[_LenientBatch]:
    memory, batches = _MemoryRecordsPy(content), []
    while memory.has_next():
        batches.append(_LenientBatch(memory._next_slice))
        memory._cache_next()
    return batches


def _consumer_record(partition: TopicPartition, record: Any) -> ConsumerRecord:
    return ConsumerRecord(
        partition.topic,
        partition.partition,
        record.offset,
        record.timestamp,
        record.timestamp_type,
        record.key,
        record.value,
        record.checksum,
        -1 if record.key is None else len(record.key),
        -1 if record.value is None else len(record.value),
        tuple(record.headers),
    )
