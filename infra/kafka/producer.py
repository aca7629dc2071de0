"""Faust's producer, idempotent, with deliveries by record batch that are awaited."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from faust.transport.drivers import aiokafka as stock

from infra.errors import DeliveryFailed


@dataclass(frozen=True, slots=True)
class OutRecord:
    """A record to publish, with its partition given."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()
    timestamp_ms: int | None = None


class Producer(stock.Producer):
    """Sends records in batches and returns when the brokers have all of them."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}  # Faust has no setting for idempotence

    async def deliver(self, topic: str, records: Iterable[OutRecord]) -> None:
        """Publish records and wait until every one is acknowledged by all in-sync replicas.

        Order is kept within each partition. One ``send`` a record would reach a third of the rate.

        Raises:
            DeliveryFailed: A batch was not acknowledged within the producer's request timeout, was refused,
                or the topic has no such partition. Some of the records may have been written.
        """
        by_partition: dict[int, list[OutRecord]] = {}
        for record in records:
            by_partition.setdefault(record.partition, []).append(record)
        try:
            sent = []
            for partition, rows in by_partition.items():
                sent += await self._send(topic, partition, rows)
            await asyncio.gather(*sent)
        except Exception as error:
            raise DeliveryFailed(f"Could not deliver to {topic}: {type(error).__name__}: {error}.") from error

    async def _send(self, topic: str, partition: int, records: Sequence[OutRecord]) -> list[asyncio.Future[Any]]:
        producer = self._ensure_producer()
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
