"""Careful mode, on a real broker: the event that ends the process is found, and no other pays for it."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.structs import ConsumerRecord, OffsetAndMetadata

from infra.errors import DeliveryFailed
from infra.kafka.app import new_app
from infra.kafka.clients import admin_client
from infra.kafka.security import client_security
from infra.settings import Settings
from streams.commit import Progress, run_stage
from tests.integration.conftest import Services
from tests.integration.road import eventually
from tests.integration.test_transport import publish

pytestmark = pytest.mark.integration

COUNT = 120


class Deadly:
    """A stage that ends the process at one record, as an out-of-memory kill does; notes what it did.

    Args:
        poison: The value that ends it.
        error: What it ends with.
    """

    def __init__(self, poison: int | None, error: Exception | None = None) -> None:
        self.poison = poison
        self.error = error or RuntimeError("as planned")
        self.done: list[int] = []
        self.sizes: list[int] = []
        self.condemned: list[tuple[int, int | None, int]] = []

    def decode(self, records: Sequence[ConsumerRecord]) -> list[int]:
        """The numbers."""
        self.sizes.append(len(records))
        return [int(record.value) for record in records]

    async def work(self, decoded: list[int]) -> list[int]:
        """End if the poison is among them."""
        if self.poison in decoded:
            raise self.error
        return decoded

    async def deliver(self, results: list[int]) -> None:
        """Note them."""
        self.done += results

    def condemn(self, records: Sequence[ConsumerRecord], tries: int) -> list[int]:
        """Note it."""
        self.condemned += [(one.offset, None if one.value is None else int(one.value), tries) for one in records]
        return []


@pytest.fixture
async def topic(services: Services) -> str:
    """A topic of two partitions that holds numbered records."""
    name = f"test-{uuid4()}"
    async with admin_client(services.kafka_bootstrap) as admin:
        await admin.create_topics([NewTopic(name, 2, 1)])
    await publish(services, name, COUNT)
    return name


async def run_once(services: Services, topic: str, stage: Deadly, total: int = COUNT) -> bool:
    """Run a worker until everything is done, or until it ends; whether it lived."""
    app = new_app(
        f"group-{topic}", Settings(commit_interval_s=0.2, batch_max_events=16, poison_tries=4), services.kafka_bootstrap
    )

    @app.agent(app.topic(topic), name="test")
    async def agent(stream: Any) -> None:
        await run_stage(stream, stage, Progress())

    async def finished() -> bool:
        return app.crash_reason is not None or len(set(stage.done)) + len(stage.condemned) >= total

    await app.start()
    try:
        await eventually(finished, 30)
    finally:
        with suppress(type(stage.error)):
            await app.stop()
    return app.crash_reason is None


async def notes(services: Services, topic: str) -> list[OffsetAndMetadata | None]:
    """What the group committed for each partition."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=services.kafka_bootstrap, group_id=f"group-{topic}", **client_security().arguments()
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(2)]
        found = await consumer._coordinator.fetch_committed_offsets(partitions)
        return [found.get(partition) for partition in partitions]
    finally:
        await consumer.stop()


async def leave_note(services: Services, topic: str, offset: int, note: str) -> None:
    """Commit an offset of partition 0 with a note."""
    consumer = AIOKafkaConsumer(  # automatic commits would move the offset on at its stop
        bootstrap_servers=services.kafka_bootstrap,
        group_id=f"group-{topic}",
        enable_auto_commit=False,
        **client_security().arguments(),
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        await consumer.commit({TopicPartition(topic, 0): OffsetAndMetadata(offset, note)})
    finally:
        await consumer.stop()


async def test_an_event_that_ends_its_process_becomes_a_dead_letter_and_nothing_else_does(
    services: Services, topic: str
) -> None:
    """In the middle of a batch of 16: found alone at the head, condemned at the third try; all others are done."""
    stage = Deadly(poison=57)
    starts = 1
    while not await run_once(services, topic, stage):
        starts += 1
        assert starts <= 6
    assert [(57 // 2, 57, 4)] == stage.condemned
    assert set(range(COUNT)) - {57} == set(stage.done)
    assert 16 == max(stage.sizes)
    assert 4 <= starts, "no event is condemned before it has ended three processes"
    assert ["", ""] == [one.metadata if one else None for one in await notes(services, topic)]


async def test_a_broker_that_is_away_makes_no_event_suspect(services: Services, topic: str) -> None:
    """A worker that ends since it cannot deliver leaves no note, however often."""
    for _ in range(3):
        assert not await run_once(services, topic, Deadly(poison=0, error=DeliveryFailed("away")))
    assert all(one is None or one.metadata == "" for one in await notes(services, topic))


async def test_a_head_that_cannot_even_be_fetched_is_skipped_by_its_offset(services: Services, topic: str) -> None:
    """After two tries that would have condemned it; what is known of it is topic, partition and offset."""
    await leave_note(services, topic, 7, "aisle tries=5 until=8")
    stage = Deadly(poison=14)  # what offset 7 of partition 0 holds: reading it would show
    assert await run_once(services, topic, stage, total=COUNT - 7)
    assert [(7, None, 6)] == stage.condemned
    assert set(range(COUNT)) - set(range(0, 16, 2)) == set(stage.done)


@pytest.mark.parametrize("note", ["written by another release", "aisle tries=1 until=9 since=2027"])
async def test_notes_of_other_releases_are_understood_or_ignored(services: Services, topic: str, note: str) -> None:
    """Two releases share a group during a rolling restart: nothing is condemned, skipped or repeated."""
    await leave_note(services, topic, 7, note)
    stage = Deadly(poison=None)
    assert await run_once(services, topic, stage, total=COUNT - 7)
    assert sorted(stage.done) == sorted(set(range(COUNT)) - set(range(0, 14, 2)))
    assert [] == stage.condemned


async def test_a_worker_that_leaves_cleanly_leaves_no_note(services: Services, topic: str) -> None:
    """A stop while a partition waits untouched: its next owner begins with the first try."""
    gate = asyncio.Event()
    stage = Deadly(poison=None)
    app = new_app(f"group-{topic}", Settings(batch_max_events=1, drain_timeout_s=20), services.kafka_bootstrap)

    @app.agent(app.topic(topic), name="test")
    async def agent(stream: Any) -> None:
        async for event in stream.noack().events():
            await gate.wait()
            stage.done += [int(record.value) for record in event.value]
            event.ack()

    await app.start()

    async def noted() -> bool:
        return any(one is not None and one.metadata.startswith("aisle tries=1") for one in await notes(services, topic))

    await eventually(noted, 30)
    gate.set()
    await app.stop()
    assert all(one is None or one.metadata == "" for one in await notes(services, topic))
