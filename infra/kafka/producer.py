"""Faust's producer, idempotent, with deliveries by record batch that are awaited."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import UnknownTopicOrPartitionError
from aiokafka.partitioner import DefaultPartitioner
from faust.transport.drivers import aiokafka as stock

from infra.errors import DeliveryFailed, PartitionMissing, TopicMissing
from infra.metrics.producer import PUBLISHED
from schemas.errors import AisleError

_ASK_AGAIN_S = 0.2
_LAST_QUESTION_S = 2.0


@dataclass(slots=True)  # frozen would cost half a microsecond a record
class OutRecord:
    """A record to publish, with its partition given."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()
    timestamp_ms: int | None = None


class Deliverer(Protocol):
    """What agents publish by."""

    async def partition_of(self, topic: str, key: bytes) -> int:
        """The partition that Kafka's own clients give a key."""

    async def deliver(self, topic: str, records: Iterable[OutRecord]) -> None:
        """Publish records and wait until every one is acknowledged."""


class Producer(stock.Producer):
    """Sends records in batches and returns when the brokers have all of them."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}  # Faust has no setting for idempotence

    @property
    def client(self) -> AIOKafkaClient:
        """The client that it sends with."""
        return self._ensure_producer().client

    async def partition_of(self, topic: str, key: bytes) -> int:
        """The partition that Kafka's own clients give a key.

        Raises:
            TopicMissing: There is no such topic.
        """
        try:
            partitions = sorted(await self._ensure_producer().partitions_for(topic))
        except UnknownTopicOrPartitionError as error:
            raise TopicMissing(f"There is no topic {topic}.", hint="Run `aisle topics create`.") from error
        partition: int = DefaultPartitioner()(key, partitions, partitions)
        return partition

    async def deliver(self, topic: str, records: Iterable[OutRecord]) -> None:
        """Publish records and wait until every one is acknowledged by all in-sync replicas.

        Order is kept within each partition. One ``send`` a record would reach a third of the rate. A broker
        that is away and a partition that is not there yet are waited for, as long as the request timeout
        lasts: an idempotent producer of aiokafka repeats its requests without end.

        Raises:
            TopicMissing: There is no such topic.
            PartitionMissing: The topic has no such partition.
            DeliveryFailed: A batch was refused, or not acknowledged in time.
                In each case some of the records may have been written, or still be.
        """
        by_partition: dict[int, list[OutRecord]] = {}
        for record in records:
            by_partition.setdefault(record.partition, []).append(record)
        producer, sent = self._ensure_producer(), []
        try:
            async with asyncio.timeout(self.request_timeout):
                await _find(producer, topic, by_partition.keys())
                for partition, rows in by_partition.items():
                    sent += await _send(producer, topic, partition, rows)
                await asyncio.gather(*sent)
            PUBLISHED.labels(topic=topic).inc(sum(map(len, by_partition.values())))
        except Exception as error:
            late = isinstance(error, TimeoutError)
            why = f"no answer within {self.request_timeout:g} s" if late else f"{type(error).__name__}: {error}"
            raise await _failure(producer, topic, by_partition.keys(), why) from error


async def _find(producer: AIOKafkaProducer, topic: str, partitions: AbstractSet[int]) -> None:
    """Return once the producer knows the partitions; ``send_batch`` asserts that it does."""
    client = producer.client
    # Always: aiokafka keeps only the topics that were added when it next refreshes its metadata.
    client.add_topic(topic)
    while not partitions <= _known(producer, topic):
        await client.force_metadata_update()
        if not partitions <= _known(producer, topic):
            await asyncio.sleep(_ASK_AGAIN_S)


def _known(producer: AIOKafkaProducer, topic: str) -> AbstractSet[int]:
    return producer.client.cluster.partitions_for_topic(topic) or frozenset()


async def _send(
    producer: AIOKafkaProducer, topic: str, partition: int, records: Sequence[OutRecord]
) -> list[asyncio.Future[Any]]:
    builder, sent = producer.create_batch(), []
    for record in records:
        if not _append(builder, record):
            sent.append(await producer.send_batch(builder, topic, partition=partition))
            builder = producer.create_batch()
            _append(builder, record)  # an empty batch takes a record of any size
    sent.append(await producer.send_batch(builder, topic, partition=partition))
    return sent


def _append(builder: Any, record: OutRecord) -> bool:
    headers = list(record.headers)  # a tuple makes the builder fail
    metadata = builder.append(key=record.key, value=record.value, timestamp=record.timestamp_ms, headers=headers)
    return metadata is not None


async def _failure(producer: AIOKafkaProducer, topic: str, partitions: AbstractSet[int], why: str) -> AisleError:
    """The error to raise: what the brokers say of the topic now tells a missing one from a broker that is away."""
    try:
        async with asyncio.timeout(_LAST_QUESTION_S):
            answered = await producer.client.force_metadata_update()
    except TimeoutError:
        answered = False
    known = _known(producer, topic)
    if answered and not known:
        return TopicMissing(f"{topic} does not exist any more ({why}).", hint="Run `aisle topics create`.")
    if answered and (lacking := sorted(partitions - known)):
        return PartitionMissing(
            f"{topic} has {len(known)} partitions, and a record is for number {lacking[-1]} ({why}).",
            hint=f"Run `aisle topics grow --partitions {lacking[-1] + 1} {topic}`.",
        )
    return DeliveryFailed(f"Could not deliver to {topic}: {why}.", hint="" if answered else "Is a broker running?")
