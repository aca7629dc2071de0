"""One record by its place."""

import asyncio
from functools import partial

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition

from infra.errors import BrokerUnavailable
from infra.kafka.fetch import fetch

_POLL_MS = 500


async def record_at(
    reader: AIOKafkaConsumer, topic: str, partition: int, offset: int, *, within_s: float = 10
) -> ConsumerRecord | None:
    """The record at an offset, or None: it was deleted, or there never was one.

    Args:
        reader: A connected consumer without topics, outside any group.
        topic: The topic.
        partition: One of its partitions.
        offset: The offset; may be any number.
        within_s: Longest wait in seconds.

    Raises:
        BrokerUnavailable: The broker did not answer in time.
    """
    place = TopicPartition(topic, partition)
    try:
        async with asyncio.timeout(within_s):
            reader.assign([place])
            first, end = await reader.beginning_offsets([place]), await reader.end_offsets([place])
            if not first[place] <= offset < end[place]:
                return None
            reader.seek(place, offset)
            while await reader.position(place) <= offset:
                get = partial(reader.getmany, place, timeout_ms=_POLL_MS, max_records=1)
                for record in (await fetch(reader, {place}, get)).get(place, ()):
                    return record if record.offset == offset else None
            return None
    except (TimeoutError, KafkaError) as error:
        raise BrokerUnavailable(f"The broker does not give {topic}, partition {partition}, offset {offset}.") from error
    finally:
        reader.unsubscribe()
