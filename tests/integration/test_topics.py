"""Topics on a real broker: grown under load, made anew, and what a record at their limits does."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import ConsumerRecord

from infra.errors import TopicMissing
from infra.kafka.app import BatchApp, new_app
from infra.kafka.clients import admin_client, producer_client, reader_client
from infra.kafka.producer import OutRecord, Producer
from infra.kafka.topic_ids import topic_ids
from infra.kafka.topics import Growth, create_topics, grow_topics
from infra.settings import Settings
from schemas.dead_letter import DeadLetter, without_error_headers
from schemas.headers import EVENT_ID
from schemas.limits import KIB, MAX_RECORD_BYTES, MIB
from schemas.topics import PRODUCTS_DLQ, PRODUCTS_IN
from streams.dead_letters import dead_letter, kept
from streams.errors import EventPoisonous
from tests.integration.conftest import Services
from tests.integration.road import eventually
from tests.records import record

pytestmark = pytest.mark.integration

EVENT = "0b8e0000-0000-4000-8000-000000000001"
POISON = EventPoisonous("It breaks the model: " + "é" * 2_000)


@asynccontextmanager
async def answering(services: Services, source: str, answer: str) -> AsyncIterator[BatchApp]:
    """An app that delivers each record of a topic to another, on the same partition number."""
    app = new_app(
        f"group-{source}",
        Settings(commit_interval_s=0.2, retry_budget_s=20),
        services.kafka_bootstrap,
        consumer_metadata_max_age_ms=1_000,
    )

    @app.agent(app.topic(source), name="test")
    async def agent(stream: Any) -> None:
        async for event in stream.noack().events():
            await app.batch_producer.deliver(answer, [OutRecord(one.partition, None, one.value) for one in event.value])
            event.ack()

    await app.start()
    try:
        yield app
    finally:
        await app.stop()


@asynccontextmanager
async def delivering(services: Services, budget_s: float = 30) -> AsyncIterator[Producer]:
    """A producer of the transport, alone."""
    settings = Settings(retry_budget_s=budget_s)
    producer = new_app(f"test-{uuid4()}", settings, services.kafka_bootstrap).batch_producer
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def read(reader: AIOKafkaConsumer, into: list[ConsumerRecord], count: int) -> None:
    """Read until that many records have come, in all."""

    async def enough() -> bool:
        for records in (await reader.getmany(timeout_ms=200)).values():
            into.extend(records)
        return len(into) >= count

    await eventually(enough, 30)


async def make(admin: AIOKafkaAdminClient, name: str, partitions: int) -> None:
    """Create a topic; one of that name may be about to go."""

    async def made() -> bool:
        answer = await admin.create_topics([NewTopic(name, partitions, 1)])
        return not answer.topic_errors[0][1]

    await eventually(made, 10)


async def test_topics_grow_under_load_and_nothing_is_lost(services: Services) -> None:
    """What goes to new partitions before the worker notices them is answered too, on the same partition numbers."""
    source, answer = f"test-{uuid4()}", f"test-{uuid4()}"
    came: list[ConsumerRecord] = []
    async with admin_client(services.kafka_bootstrap) as admin:
        await make(admin, source, 2)
        await make(admin, answer, 2)
        async with (
            answering(services, source, answer),
            producer_client(services.kafka_bootstrap) as producer,
        ):
            for number in range(200):
                await producer.send(source, str(number).encode(), partition=number % 2)
            await producer.flush()
            await grow_topics(admin, [Growth(answer, 2, 4), Growth(source, 2, 4)])
            await eventually(lambda: _knows(producer, source, 4), 10)
            for number in range(200, 600):
                await producer.send(source, str(number).encode(), partition=number % 4)
            await producer.flush()
            async with reader_client(services.kafka_bootstrap, answer, from_start=True) as reader:
                await read(reader, came, 600)
    assert list(range(600)) == sorted(int(one.value) for one in came)
    assert all(int(one.value) % (4 if int(one.value) >= 200 else 2) == one.partition for one in came)


@pytest.mark.parametrize("from_start", [True, False])
async def test_a_reader_keeps_its_place_when_its_topic_grows(services: Services, from_start: bool) -> None:
    """What it has read does not come again, what comes meanwhile is not passed over, new partitions are read whole."""
    name = f"test-{uuid4()}"
    came: list[ConsumerRecord] = []
    async with (
        admin_client(services.kafka_bootstrap) as admin,
        producer_client(services.kafka_bootstrap) as producer,
    ):
        await make(admin, name, 2)
        async with reader_client(services.kafka_bootstrap, name, from_start=from_start) as reader:
            await reader.seek_to_end()
            for number in range(10):
                await producer.send_and_wait(name, str(number).encode(), partition=number % 2)
            await read(reader, came, 10)
            await grow_topics(admin, [Growth(name, 2, 4)])
            await eventually(lambda: _knows(producer, name, 4), 10)
            for number in range(10, 30):
                await producer.send_and_wait(name, str(number).encode(), partition=number % 4)
            await reader._client.force_metadata_update()
            await read(reader, came, 30)
            await producer.send_and_wait(name, b"30", partition=0)
            await read(reader, came, 31)
    assert list(range(31)) == sorted(int(one.value) for one in came)


async def test_a_delivery_finds_a_partition_that_came_after_the_producer(services: Services) -> None:
    """The producer knows two partitions; the fourth is there by the time a record is for it."""
    name = f"test-{uuid4()}"
    async with admin_client(services.kafka_bootstrap) as admin, delivering(services) as producer:
        await make(admin, name, 2)
        await producer.deliver(name, [OutRecord(1, None, b"before")])
        await grow_topics(admin, [Growth(name, 2, 4)])
        await producer.deliver(name, [OutRecord(3, None, b"after")])
        async with reader_client(services.kafka_bootstrap, name, from_start=True) as reader:
            came: list[ConsumerRecord] = []
            await read(reader, came, 2)
    assert {(1, b"before"), (3, b"after")} == {(one.partition, one.value) for one in came}


async def test_a_topic_made_anew_takes_deliveries_and_has_another_id(services: Services) -> None:
    """The idempotent producer's sequence numbers go on where the new log has none: the broker takes them."""
    name = f"test-{uuid4()}"
    async with admin_client(services.kafka_bootstrap) as admin, delivering(services) as producer:
        await make(admin, name, 1)
        for value in (b"1", b"2"):
            await producer.deliver(name, [OutRecord(0, None, value)])
        old = await topic_ids(producer.client, [name])
        assert old == await topic_ids(producer.client, [name])

        await admin.delete_topics([name])

        async def gone() -> bool:
            try:
                await topic_ids(producer.client, [name])
            except TopicMissing:
                return True
            return False

        await eventually(gone, 20)
        delivery = asyncio.create_task(producer.deliver(name, [OutRecord(0, None, b"3")]))
        await make(admin, name, 1)
        await delivery

        assert old != await topic_ids(producer.client, [name])
        async with reader_client(services.kafka_bootstrap, name, from_start=True) as reader:
            came: list[ConsumerRecord] = []
            await read(reader, came, 1)
    assert [b"3"] == [one.value for one in came]


async def test_a_deleted_topic_is_named_when_the_budget_is_spent(services: Services) -> None:
    """The producer knew it and has sent to it: what it hears in the end is that there is none."""
    name = f"test-{uuid4()}"
    async with admin_client(services.kafka_bootstrap) as admin, delivering(services, budget_s=1) as producer:
        await make(admin, name, 1)
        await producer.deliver(name, [OutRecord(0, None, b"1")])
        await admin.delete_topics([name])
        with pytest.raises(TopicMissing, match=rf"{name} does not exist any more .* Run `aisle topics create`"):
            await producer.deliver(name, [OutRecord(0, None, b"2")])


async def test_a_topic_made_anew_under_a_busy_worker_is_read_from_its_beginning(services: Services) -> None:
    """Its batch in hand came from the old topic: the worker commits nothing of it to the new one, and ends by name."""
    name, group = f"test-{uuid4()}", f"group-{uuid4()}"
    go_on, in_hand = asyncio.Event(), asyncio.Event()
    seen: set[int] = set()

    def app() -> BatchApp:
        app = new_app(group, Settings(commit_interval_s=0.2, batch_max_events=10), services.kafka_bootstrap)

        @app.agent(app.topic(name), name="test")
        async def agent(stream: Any) -> None:
            async for event in stream.noack().events():
                in_hand.set()
                await go_on.wait()
                seen.update(int(one.value) for one in event.value)
                event.ack()

        return app

    async def publish(values: range) -> None:
        async with producer_client(services.kafka_bootstrap) as producer:
            for value in values:
                await producer.send(name, str(value).encode())

    async with admin_client(services.kafka_bootstrap) as admin:
        await make(admin, name, 1)
        await publish(range(100))
        first = app()
        await first.start()
        await asyncio.wait_for(in_hand.wait(), 20)
        await admin.delete_topics([name])
        await make(admin, name, 1)
    await publish(range(1_000, 1_200))  # further than the worker is in the old one
    go_on.set()
    await asyncio.wait_for(first.wait_until_stopped(), 20)
    assert isinstance(first.crash_reason, TopicMissing)
    await first.stop()

    async def all_seen() -> bool:
        return seen >= set(range(1_000, 1_200))

    second = app()
    await second.start()
    await eventually(all_seen, 20)
    await second.stop()


async def test_a_poison_at_the_size_limit_fits_the_dead_letter_topic(services: Services) -> None:
    """The largest that products.in takes, key and headers filling its envelope: every byte is in the dead letter."""
    async with admin_client(services.kafka_bootstrap) as admin:
        await create_topics(admin, services.settings)
    value, key, headers = os.urandom(MIB), os.urandom(200), [("h", os.urandom(1_000))] * 15
    async with (
        producer_client(services.kafka_bootstrap) as publisher,
        delivering(services) as producer,
        reader_client(services.kafka_bootstrap, PRODUCTS_IN, PRODUCTS_DLQ, from_start=False) as reader,
    ):
        await reader.seek_to_end()
        await publisher.send_and_wait(PRODUCTS_IN, value, key=key, partition=3, headers=headers)
        came: list[ConsumerRecord] = []
        await read(reader, came, 1)
        await producer.deliver(PRODUCTS_DLQ, [dead_letter(came[0], EVENT, "infer", POISON)])
        await read(reader, came, 2)
    letter = came[1]
    assert (PRODUCTS_DLQ, 3, key) == (letter.topic, letter.partition, letter.key)
    assert value == letter.value
    assert headers == [pair for pair in without_error_headers(letter.headers) if pair[0] != EVENT_ID]
    assert DeadLetter.from_headers(letter.headers).value_sha256 is None


@pytest.mark.parametrize("above", [0, 1])
async def test_a_poison_goes_without_its_value_where_that_does_not_fit(services: Services, above: int) -> None:
    """At the limit of what a dead letter has room for it goes whole, a byte above with the value's SHA-256."""
    async with admin_client(services.kafka_bootstrap) as admin:
        await create_topics(admin, services.settings)
    key, headers = b"k" * 100, [("h", b"x" * 100)]
    fits = max(
        size
        for size in range(MAX_RECORD_BYTES - 8 * KIB, MAX_RECORD_BYTES)
        if kept(record(bytes(size), key=key, headers=headers))[1] is not None
    )
    source = record(os.urandom(fits + above), partition=2, offset=7, key=key, headers=headers)
    async with (
        delivering(services) as producer,
        reader_client(services.kafka_bootstrap, PRODUCTS_DLQ, from_start=False) as reader,
    ):
        await reader.seek_to_end()
        await producer.deliver(PRODUCTS_DLQ, [dead_letter(source, EVENT, "decode", POISON)])
        came: list[ConsumerRecord] = []
        await read(reader, came, 1)
    reason = DeadLetter.from_headers(came[0].headers)
    assert (None if above else source.value) == came[0].value
    assert (sha256(source.value or b"").hexdigest() if above else None) == reason.value_sha256
    assert (key, PRODUCTS_IN, 2, 7) == (came[0].key, reason.topic, reason.partition, reason.offset)


async def _knows(producer: AIOKafkaProducer, topic: str, partitions: int) -> bool:
    await producer.client.force_metadata_update()
    return len(await producer.partitions_for(topic)) == partitions
