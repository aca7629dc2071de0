"""Where a consumer stands in its partitions.

Leans on aiokafka 0.14: the state it keeps of each assigned partition. What moves a position runs on the consumer
thread's loop; what only reads may run anywhere.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord, TopicPartition


def backlog(consumer: AIOKafkaConsumer) -> int:
    """Records known to wait, here or at the broker, as of the last fetch."""
    assignment = _assignment(consumer)
    states = [] if assignment is None else [assignment.state_value(partition) for partition in assignment.tps]
    return sum(
        max(0, state.highwater - state.position)
        for state in states
        if state is not None and state.has_valid_position and state.highwater is not None
    )


def unread(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> int:
    """Records before these ends that were not yet fetched from here."""
    count = 0
    for partition, end in ends.items():
        position = position_of(consumer, partition)
        count += 0 if position is None else max(0, end - position)
    return count


def position_of(consumer: AIOKafkaConsumer, partition: TopicPartition) -> int | None:
    """The offset that is fetched next; None while it is unknown or the partition is not assigned."""
    assignment = _assignment(consumer)
    if assignment is None or partition not in assignment.tps:
        return None
    state = assignment.state_value(partition)
    return state.position if state is not None and state.has_valid_position else None


async def give_back(consumer: AIOKafkaConsumer, records: Sequence[ConsumerRecord]) -> None:
    """Seek back to the first of these records in each partition that is still assigned."""
    first: dict[TopicPartition, int] = {}
    for record in records:
        first.setdefault(TopicPartition(record.topic, record.partition), record.offset)
    for partition, offset in first.items():
        position = position_of(consumer, partition)
        if position is not None and position > offset:
            consumer.seek(partition, offset)


async def skip(consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int) -> None:
    """Go on behind an offset without reading it."""
    if partition in consumer.assignment():
        consumer.seek(partition, offset + 1)


def _assignment(consumer: AIOKafkaConsumer) -> Any:
    subscription = consumer._subscription.subscription
    return None if subscription is None else subscription.assignment
