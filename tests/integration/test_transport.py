"""The batch transport, on a real broker: what is delivered, what is committed, what holds it back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.structs import ConsumerRecord

from infra.errors import DeliveryFailed
from infra.kafka.app import BatchApp, new_app
from infra.kafka.clients import admin_client
from infra.kafka.producer import OutRecord
from infra.kafka.security import client_security
from infra.settings import Settings
from tests.integration.conftest import Services
from tests.integration.road import eventually

pytestmark = pytest.mark.integration

PARTITIONS = 2
Handler = Callable[[Sequence[ConsumerRecord]], Awaitable[None]]


@pytest.fixture
async def topic(services: Services) -> str:
    """A topic of this test's own."""
    name = f"test-{uuid4()}"
    async with admin_client(services.kafka_bootstrap) as admin:
        await admin.create_topics([NewTopic(name, PARTITIONS, 1)])
    return name


@asynccontextmanager
async def consuming(services: Services, topic: str, handle: Handler, **settings: Any) -> AsyncIterator[BatchApp]:
    """An app whose agent hands each batch to ``handle`` and acknowledges it; the group is named for the topic."""
    app = new_app(f"group-{topic}", Settings(commit_interval_s=0.2, **settings), services.kafka_bootstrap)

    @app.agent(app.topic(topic), name="test")
    async def agent(stream: Any) -> None:
        async for event in stream.noack().events():
            await handle(event.value)
            event.ack()

    await app.start()
    try:
        yield app
    finally:
        await app.stop()


async def publish(services: Services, topic: str, count: int) -> None:
    """Numbered records, alternating between the partitions."""
    producer = AIOKafkaProducer(bootstrap_servers=services.kafka_bootstrap, **client_security().arguments())
    await producer.start()
    try:
        waiting = [
            await producer.send(topic, str(number).encode(), partition=number % PARTITIONS) for number in range(count)
        ]
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()


async def committed(services: Services, topic: str) -> int:
    """Sum of the group's committed offsets."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=services.kafka_bootstrap, group_id=f"group-{topic}", **client_security().arguments()
    )
    await consumer.start()
    try:
        offsets = [await consumer.committed(TopicPartition(topic, number)) for number in range(PARTITIONS)]
        return sum(offset or 0 for offset in offsets)
    finally:
        await consumer.stop()


async def test_every_record_comes_once_in_order_and_is_committed(services: Services, topic: str) -> None:
    """Batches hold all records, in order in each partition; a clean stop commits exactly what was done."""
    seen: list[ConsumerRecord] = []

    async def handle(records: Sequence[ConsumerRecord]) -> None:
        assert len(records) <= 100
        seen.extend(records)

    await publish(services, topic, 1_000)
    async with consuming(services, topic, handle, batch_max_events=100):
        await eventually(lambda: _has(seen, 1_000), 30)

    for partition in range(PARTITIONS):
        values = [int(one.value) for one in seen if one.partition == partition]
        assert list(range(partition, 1_000, PARTITIONS)) == values
    assert await committed(services, topic) == 1_000


async def test_a_batch_that_fails_is_not_committed(services: Services, topic: str) -> None:
    """An agent that raises ends the app; its batch and all behind it come again, what was done before does not."""
    done: list[int] = []

    async def fail_at_40(records: Sequence[ConsumerRecord]) -> None:
        if any(int(one.value) == 40 for one in records):
            raise RuntimeError("as planned")
        done.extend(int(one.value) for one in records)

    await publish(services, topic, 100)
    async with consuming(services, topic, fail_at_40, batch_max_events=10) as app:
        await asyncio.wait_for(app.wait_until_stopped(), 30)
        assert isinstance(app.crash_reason, RuntimeError)
    assert await committed(services, topic) == len(done) < 100

    async def go_on(records: Sequence[ConsumerRecord]) -> None:
        done.extend(int(one.value) for one in records)

    async with consuming(services, topic, go_on, batch_max_events=10):
        await eventually(lambda: _has(done, 100), 30)
    assert sorted(done) == list(range(100))


async def test_intake_waits_for_a_slow_agent(services: Services, topic: str) -> None:
    """At most three batches are in memory however many events wait."""
    release = asyncio.Event()
    seen: list[ConsumerRecord] = []
    open_batches = 0

    async def handle(records: Sequence[ConsumerRecord]) -> None:
        await release.wait()
        seen.extend(records)

    await publish(services, topic, 2_000)
    async with consuming(services, topic, handle, batch_max_events=50) as app:

        async def full() -> bool:
            nonlocal open_batches
            open_batches = len(app.consumer.ledger)  # type: ignore[attr-defined] # our consumer
            return open_batches == 3

        await eventually(full, 30)
        await asyncio.sleep(1.5)  # longer than a fetch: a fourth batch would be here by now
        await full()
        release.set()
        await eventually(lambda: _has(seen, 2_000), 30)
    assert open_batches == 3


async def test_a_rebalance_loses_and_skips_nothing(services: Services, topic: str) -> None:
    """A second member joins under load: every record is handled, and the commits end at the end."""
    seen: set[int] = set()
    handled = 0

    async def handle(records: Sequence[ConsumerRecord]) -> None:
        nonlocal handled
        await asyncio.sleep(0.02)
        handled += len(records)
        seen.update(int(one.value) for one in records)

    await publish(services, topic, 3_000)
    async with consuming(services, topic, handle, batch_max_events=50):
        await eventually(lambda: _has(seen, 300), 30)
        async with consuming(services, topic, handle, batch_max_events=50):
            await eventually(lambda: _has(seen, 3_000), 60)
    assert await committed(services, topic) == 3_000
    assert handled == 3_000, "a clean rebalance handles nothing twice"


class _NotUtf8(str):
    """A header name that goes out as bytes that are no UTF-8."""

    __slots__ = ()

    def encode(self, *_arguments: str) -> bytes:
        return b"\xff\xfe"


@pytest.mark.parametrize("codec", [0, 1, 4], ids=["plain", "gzip", "zstd"])
async def test_a_header_name_of_any_bytes_stops_nothing(services: Services, topic: str, codec: int) -> None:
    """A name that is no UTF-8 comes with U+FFFD in it; every record comes once, whole and in order."""
    await publish(services, topic, 100)
    producer = AIOKafkaProducer(bootstrap_servers=services.kafka_bootstrap, **client_security().arguments())
    await producer.start()
    try:
        batch = producer.create_batch()
        batch._builder = _DefaultRecordBatchBuilderPy(
            2, codec, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=0, batch_size=10_000
        )
        for headers in ([], [(_NotUtf8("x"), b"\xff")], []):
            batch.append(key=None, value=b"1000", timestamp=None, headers=headers)
        await (await producer.send_batch(batch, topic, partition=1))
    finally:
        await producer.stop()
    await publish(services, topic, 100)
    seen: list[ConsumerRecord] = []

    async def handle(records: Sequence[ConsumerRecord]) -> None:
        seen.extend(records)

    async with consuming(services, topic, handle, batch_max_events=64):
        await eventually(lambda: _has(seen, 203), 30)

    for partition in range(PARTITIONS):
        offsets = [one.offset for one in seen if one.partition == partition]
        assert list(range(len(offsets))) == offsets
    odd = next(one for one in seen if one.headers)
    assert (51, b"1000", (("\ufffd\ufffd", b"\xff"),)) == (odd.offset, odd.value, odd.headers)
    assert await committed(services, topic) == 203


async def test_deliveries_keep_partition_order_and_every_byte(services: Services, topic: str) -> None:
    """``deliver`` returns when all is written: null keys, null values, large records, headers of any bytes."""
    sent = [
        OutRecord(number % PARTITIONS, key, value, [("h", b"\xff"), ("h", None)])
        for number, (key, value) in enumerate(
            [(b"k", b"v"), (None, None), (b"k", None), (None, b""), (None, b"x" * 700_000), (b"", b"y" * 700_000)]
        )
    ]

    async def nothing(_records: Sequence[ConsumerRecord]) -> None:
        return

    async with consuming(services, topic, nothing) as app:
        await app.batch_producer.deliver(topic, sent)
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=services.kafka_bootstrap, auto_offset_reset="earliest", **client_security().arguments()
    )
    await consumer.start()
    try:
        came = [await consumer.getone() for _ in sent]
    finally:
        await consumer.stop()
    for partition in range(PARTITIONS):
        assert [(one.key, one.value, tuple(one.headers)) for one in sent if one.partition == partition] == [
            (one.key, one.value, one.headers) for one in came if one.partition == partition
        ]


async def test_a_delivery_that_is_refused_is_an_error(services: Services) -> None:
    """``deliver`` waits for the broker's word: a record over the topic's limit fails it, though it was buffered."""
    topic = f"test-{uuid4()}"
    async with admin_client(services.kafka_bootstrap) as admin:
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1, topic_configs={"max.message.bytes": "1000"})])

    async def nothing(_records: Sequence[ConsumerRecord]) -> None:
        return

    async with consuming(services, topic, nothing) as app:
        await app.batch_producer.deliver(topic, [OutRecord(0, None, b"x" * 500)])
        with pytest.raises(DeliveryFailed, match="MessageSizeTooLarge"):
            await app.batch_producer.deliver(topic, [OutRecord(1, None, b"x" * 5_000)])


async def _has(seen: Any, count: int) -> bool:
    return len(seen) >= count
