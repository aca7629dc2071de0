"""One record by its place."""

import asyncio
from functools import partial

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition

from infra.kafka.fetch import fetch


async def record_at(
    reader: AIOKafkaConsumer, topic: str, partition: int, offset: int, *, within_s: float = 10
) -> ConsumerRecord | None:
    """The record at an offset, or None: it was deleted, or there never was one.

    Args:
        reader: A connected consumer without topics, outside any group.
        topic: The topic.
        partition: Its partition; may be one that does not exist.
        offset: The offset; may be any number.
        within_s: A record that was not read after this many seconds is taken for absent.
    """
    place = TopicPartition(topic, partition)
    try:
        async with asyncio.timeout(within_s):
            reader.assign([place])
            first, end = await reader.beginning_offsets([place]), await reader.end_offsets([place])
            if not first[place] <= offset < end[place]:
                return None
            reader.seek(place, offset)
            while True:
                get = partial(reader.getmany, place, timeout_ms=500, max_records=1)
                for record in (await fetch(reader, {place}, get)).get(place, ()):
                    return record if record.offset == offset else None
    except (TimeoutError, KafkaError):
        return None
    finally:
        reader.unsubscribe()
