"""``deliver``: what it waits for, for how long, and how it names what it waited for in vain."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from infra.errors import DeliveryFailed, PartitionMissing, TopicMissing
from infra.kafka.producer import OutRecord, Producer
from schemas.limits import KIB

TOPIC = "predictions.out"


class Brokers:
    """aiokafka's producer and client: brokers that know some partitions and acknowledge or not."""

    def __init__(self, partitions: int, *, error: KafkaError | None = None) -> None:
        self.client = self.cluster = self
        self.partitions = partitions
        self.error = error
        self.silent = self.away = False
        self.after_questions: Callable[[int], None] = lambda _asked: None
        self.asked = 0
        self.tracked: list[str] = []
        self.batches: list[tuple[int, bytes]] = []

    def partitions_for_topic(self, _topic: str) -> set[int] | None:
        """What the producer knows."""
        return set(range(self.partitions)) or None

    def add_topic(self, topic: str) -> None:
        """Keep its metadata."""
        self.tracked.append(topic)

    async def force_metadata_update(self) -> bool:
        """Ask the brokers; whether they answer."""
        self.asked += 1
        self.after_questions(self.asked)
        return not self.away

    def create_batch(self) -> BatchBuilder:
        """A real one."""
        return BatchBuilder(256 * KIB, 0)

    async def send_batch(self, batch: BatchBuilder, _topic: str, *, partition: int) -> "asyncio.Future[None]":
        """Take a batch, and acknowledge it or not."""
        assert partition < self.partitions, "Unrecognized partition"
        self.batches.append((partition, bytes(batch._build())))
        delivered = asyncio.get_running_loop().create_future()
        if self.error is not None:
            delivered.set_exception(self.error)
        elif not self.silent:
            delivered.set_result(None)
        return delivered


async def deliver(brokers: Brokers, records: Sequence[OutRecord], budget_s: float = 5) -> None:
    """``Producer.deliver`` on these brokers."""
    producer: Any = object.__new__(Producer)
    producer._producer, producer.request_timeout = brokers, budget_s
    await producer.deliver(TOPIC, records)


def values(brokers: Brokers, partition: int) -> list[bytes]:
    """What a partition was sent."""
    sent = []
    for number, content in brokers.batches:
        memory = MemoryRecords(content)
        while number == partition and (batch := memory.next_batch()) is not None:
            sent += [record.value for record in batch]
    return sent


async def test_records_go_to_their_partitions_in_order() -> None:
    """A full batch is followed by another; a record larger than a batch has one of its own."""
    brokers = Brokers(2)
    sent = [
        OutRecord(number % 2, None, bytes([number]) * size) for number, size in enumerate([100_000] * 8 + [900_000])
    ]
    await deliver(brokers, sent)
    for partition in (0, 1):
        assert [one.value for one in sent if one.partition == partition] == values(brokers, partition)
    assert [0, 0, 0, 1, 1] == [partition for partition, _ in brokers.batches]
    assert brokers.tracked == [TOPIC], "else a later refresh may forget the topic with batches under way"


async def test_a_partition_that_is_new_is_asked_for_and_waited_for() -> None:
    """After a growth the producer refreshes what it knows, as often as it takes."""
    brokers = Brokers(2)

    def grown(asked: int) -> None:
        brokers.partitions = 4 if asked == 2 else 2

    brokers.after_questions = grown
    await deliver(brokers, [OutRecord(3, None, b"x"), OutRecord(0, None, b"y")])
    assert brokers.asked == 2
    assert ([b"x"], [b"y"]) == (values(brokers, 3), values(brokers, 0))


async def test_a_partition_that_does_not_come_is_named() -> None:
    """Once the budget is spent: the topic, its size, the number that is wanted, and the command that makes it."""
    with pytest.raises(
        PartitionMissing, match=r"predictions\.out has 2 partitions, .* number 5 .*no answer within"
    ) as e:
        await deliver(Brokers(2), [OutRecord(5, None, b"x"), OutRecord(0, None, b"y")], budget_s=0.05)
    assert "aisle topics grow --partitions 6 predictions.out" in e.value.hint


async def test_a_topic_that_is_gone_is_named() -> None:
    """Not there at all: another error, another command."""
    with pytest.raises(TopicMissing, match=r"predictions\.out does not exist .* Run `aisle topics create`") as e:
        await deliver(Brokers(0), [OutRecord(0, None, b"x")], budget_s=0.05)
    assert e.value.code == "topic-missing"


async def test_a_topic_deleted_while_a_batch_is_under_way_is_named() -> None:
    """The broker never acknowledges, and only then has no such topic: what holds at the end is said."""
    brokers = Brokers(2)
    brokers.silent = True

    def deleted(_asked: int) -> None:
        brokers.partitions = 0

    brokers.after_questions = deleted
    with pytest.raises(TopicMissing, match=r"does not exist any more"):
        await deliver(brokers, [OutRecord(0, None, b"x")], budget_s=0.05)


@pytest.mark.parametrize("known", [0, 2])
async def test_brokers_that_are_away_fail_the_delivery_when_the_budget_is_spent(known: int) -> None:
    """The client would repeat the batch for ever; aisle does not, and blames no topic that it cannot ask for."""
    brokers = Brokers(known)
    brokers.silent = brokers.away = True
    with pytest.raises(DeliveryFailed, match=r"no answer within 0\.05 s\. Is a broker running\?") as e:
        await deliver(brokers, [OutRecord(0, None, b"x")], budget_s=0.05)
    assert e.value.retryable


async def test_a_refusal_is_a_failed_delivery_at_once() -> None:
    """The broker's reason is in the message."""
    with pytest.raises(DeliveryFailed, match=f"Could not deliver to {TOPIC}: MessageSizeTooLarge"):
        await deliver(Brokers(1, error=MessageSizeTooLargeError()), [OutRecord(0, None, b"x")], budget_s=60)
