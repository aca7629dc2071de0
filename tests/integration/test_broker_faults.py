"""The broker away in the middle of work. It is stopped with SIGSTOP: connections stay, and nothing answers."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.structs import ConsumerRecord

from infra.errors import DeliveryFailed
from infra.kafka.app import BatchApp, new_app
from infra.kafka.clients import admin_client, producer_client, reader_client
from infra.kafka.producer import OutRecord
from infra.kafka.security import client_security
from infra.settings import Settings
from tests.integration.conftest import Services
from tests.integration.road import eventually

pytestmark = pytest.mark.integration


class Work:
    """A topic, one that answers it, and an agent that can be held with a batch in hand."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.source, self.answer = f"test-{uuid4()}", f"test-{uuid4()}"
        self.go_on, self.in_hand = asyncio.Event(), asyncio.Event()

    async def create(self) -> None:
        """Create the topics."""
        async with admin_client(self.services.kafka_bootstrap) as admin:
            await admin.create_topics([NewTopic(name, 1, 1) for name in (self.source, self.answer)])

    @asynccontextmanager
    async def running(self, **settings: Any) -> AsyncIterator[BatchApp]:
        """The app, stopped at the end with its broker there."""
        given = Settings(**({"commit_interval_s": 0.2} | settings))
        app = new_app(f"group-{self.source}", given, self.services.kafka_bootstrap)

        @app.agent(app.topic(self.source), name="test")
        async def agent(stream: Any) -> None:
            async for event in stream.noack().events():
                self.in_hand.set()
                await self.go_on.wait()
                await app.batch_producer.deliver(self.answer, [OutRecord(0, None, one.value) for one in event.value])
                event.ack()

        await app.start()
        try:
            yield app
        finally:
            await app.stop()

    async def publish(self, values: range) -> None:
        """Send numbered records."""
        async with producer_client(self.services.kafka_bootstrap) as producer:
            for value in values:
                await producer.send(self.source, str(value).encode())

    async def answers(self, count: int) -> list[int]:
        """What was answered, once that many answers are there."""
        came: list[ConsumerRecord] = []
        async with reader_client(self.services.kafka_bootstrap, self.answer, from_start=True) as reader:

            async def enough() -> bool:
                for records in (await reader.getmany(timeout_ms=200)).values():
                    came.extend(records)
                return len(came) >= count

            await eventually(enough, 30)
        return [int(one.value or b"") for one in came]

    async def committed(self) -> int | None:
        """The group's offset."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.services.kafka_bootstrap,
            group_id=f"group-{self.source}",
            enable_auto_commit=False,
            **client_security().arguments(),
        )
        await consumer.start()
        try:
            # A broker that stood still is for a moment fenced by its own controller, and named to nobody.
            await eventually(partial(_knows_a_broker, consumer), 20)
            offset: int | None = await consumer.committed(TopicPartition(self.source, 0))
        finally:
            await consumer.stop()
        return offset


async def _knows_a_broker(consumer: AIOKafkaConsumer) -> bool:
    await consumer._client.force_metadata_update()
    return bool(consumer._client.cluster.brokers())


@pytest.fixture
async def work(services: Services) -> Work:
    """Topics of this test's own."""
    work = Work(services)
    await work.create()
    return work


@contextmanager
def broker_stopped(services: Services) -> Iterator[None]:
    """Nobody answers meanwhile."""
    pid = services.local.status()["kafka"].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_a_broker_that_comes_back_within_the_budget_gets_the_batch_once(work: Work) -> None:
    """The delivery waits, nothing is sent twice, and work goes on in the same process."""
    async with work.running(retry_budget_s=30) as app:
        await work.publish(range(20))
        await asyncio.wait_for(work.in_hand.wait(), 20)
        with broker_stopped(work.services):
            work.go_on.set()
            await asyncio.sleep(2)  # several of the client's own retries, and commits
            assert app.crash_reason is None
        await work.publish(range(20, 40))
        assert list(range(40)) == await work.answers(40)
        await eventually(lambda: _is(work.committed, 40), 20)


async def test_a_broker_that_stays_away_ends_the_worker_with_nothing_committed(work: Work) -> None:
    """When the budget is spent the delivery fails by its name, which ends the app; the next one does the batch."""
    await work.publish(range(20))
    async with work.running(retry_budget_s=1) as app:
        await asyncio.wait_for(work.in_hand.wait(), 20)
        with broker_stopped(work.services):
            work.go_on.set()
            await asyncio.wait_for(app.wait_until_stopped(), 20)
        assert isinstance(app.crash_reason, DeliveryFailed)
        assert "no answer within 1 s" in str(app.crash_reason)
    assert not await work.committed()

    async with work.running():
        await eventually(lambda: _is(work.committed, 20), 30)
    assert set(range(20)) == set(await work.answers(20))


async def test_work_that_cannot_be_committed_keeps_no_failed_worker_alive(work: Work) -> None:
    """A batch is done and not committed when the broker goes away under the next: the process ends all the same."""
    work.go_on.set()
    async with work.running(retry_budget_s=1, commit_interval_s=60) as app:
        await work.publish(range(20))
        assert list(range(20)) == await work.answers(20)
        work.go_on.clear()
        work.in_hand.clear()
        await work.publish(range(20, 40))
        await asyncio.wait_for(work.in_hand.wait(), 20)
        with broker_stopped(work.services):
            work.go_on.set()
            await asyncio.wait_for(app.wait_until_stopped(), 20)
        assert isinstance(app.crash_reason, DeliveryFailed)


async def _is(actual: Callable[[], Any], expected: Any) -> bool:
    return bool(await actual() == expected)
