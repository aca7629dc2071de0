"""Partitions that move to another worker, and partitions that do not: stops, restarts, two with one name."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic
from aiokafka.structs import ConsumerRecord
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from infra.kafka.app import BatchApp, new_app
from infra.kafka.clients import admin_client, producer_client
from infra.settings import Settings
from tests.integration.conftest import Services
from tests.integration.road import environment, eventually, wait

pytestmark = pytest.mark.integration

SESSION_S = 6.0
HEARTBEAT_S = SESSION_S / 3


@pytest.fixture
async def topic(services: Services) -> str:
    """A topic of this test's own, of two partitions."""
    name = f"test-{uuid4()}"
    async with admin_client(services.kafka_bootstrap) as admin:
        await admin.create_topics([NewTopic(name, 2, 1)])
    return name


class Member:
    """A member of the topic's group that counts what it handles."""

    def __init__(self, services: Services, topic: str, **settings: Any) -> None:
        self.handled: Counter[bytes] = Counter()
        self.rebalances = 0
        chosen = Settings(commit_interval_s=0.05, session_timeout_s=SESSION_S, batch_max_events=20, **settings)
        self.app: BatchApp = new_app(f"group-{topic}", chosen, services.kafka_bootstrap)

        @self.app.agent(self.app.topic(topic), name="test")
        async def agent(stream: Any) -> None:
            async for event in stream.noack().events():
                await self._handle(event.value)
                event.ack()

        self.app.on_partitions_assigned.connect(self._count, weak=False)

    async def _handle(self, records: Sequence[ConsumerRecord]) -> None:
        await asyncio.sleep(0.05)
        self.handled.update(one.value for one in records)

    async def _count(self, *_arguments: Any, **_signal: Any) -> None:
        self.rebalances += 1

    async def has(self, partitions: int) -> bool:
        """Whether it has so many partitions now."""
        return len(self.app.consumer.assignment()) == partitions


@asynccontextmanager
async def joined(member: Member, partitions: int) -> AsyncIterator[Member]:
    """A member once it has so many partitions."""
    await member.app.start()
    try:
        await eventually(lambda: member.has(partitions), 60)
        yield member
    finally:
        await member.app.stop()


async def publish(producer: AIOKafkaProducer, topic: str, start: int, count: int) -> None:
    """Numbered records, alternating between the partitions."""
    sent = [await producer.send(topic, b"%d" % n, partition=n % 2) for n in range(start, start + count)]
    await asyncio.gather(*sent)


async def test_a_stop_hands_over_within_a_heartbeat_and_nothing_is_done_twice(
    services: Services, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member that stops under load finishes its batch and leaves: the other gets its partitions at once.

    Commits take so long here that one is always under way, which does not hold what was done since it began.
    """
    commit = AIOKafkaConsumerThread._commit

    async def commit_slowly(thread: Any, offsets: Any) -> Any:
        await asyncio.sleep(0.5)
        return await commit(thread, offsets)

    monkeypatch.setattr(AIOKafkaConsumerThread, "_commit", commit_slowly)
    stopping, staying = Member(services, topic), Member(services, topic)
    async with producer_client(services.kafka_bootstrap) as producer, joined(staying, 2):
        async with joined(stopping, 1):
            await publish(producer, topic, 0, 2_000)
            await eventually(lambda: _true(stopping.handled), 30)
            began = monotonic()
        await eventually(lambda: staying.has(2), 30)
        took_s = monotonic() - began
        print(f"handed over in {took_s:.1f} s, heartbeats every {HEARTBEAT_S:g} s")
        await publish(producer, topic, 2_000, 200)
        await eventually(lambda: _true(len(stopping.handled + staying.handled) == 2_200), 60)
    handled = stopping.handled + staying.handled
    assert {1} == set(handled.values()), "a batch that was finished is not done again"
    assert took_s < SESSION_S, "the group was not left: its session had to end"


async def test_a_static_members_restart_moves_nothing(services: Services, topic: str) -> None:
    """Within its session a member with an instance id comes back to its partitions; the other sees no rebalance."""
    other = Member(services, topic, instance_id="other")
    async with joined(other, 2):
        async with joined(Member(services, topic, instance_id="one"), 1) as before:
            await eventually(lambda: other.has(1), 30)
            mine = before.app.consumer.assignment()
        rebalances, generation = other.rebalances, other.app.consumer_generation_id
        async with joined(Member(services, topic, instance_id="one"), 1) as after:
            assert mine == after.app.consumer.assignment()
            await asyncio.sleep(HEARTBEAT_S)  # at its next heartbeat it would hear of a rebalance
            assert (rebalances, generation) == (other.rebalances, other.app.consumer_generation_id)
            assert generation == after.app.consumer_generation_id


IDLE_WORKER = """
import sys
from infra.kafka.app import new_app
from infra.logging import configure_logging
from infra.settings import load_settings
from streams.lifetime import run_worker

async def main(worker):
    app = new_app(sys.argv[2], worker.settings, worker.settings.kafka_bootstrap)

    @app.agent(app.topic(sys.argv[1]), name="idle")
    async def idle(stream):
        async for event in stream.noack().events():
            event.ack()

    await worker.run(app)

configure_logging(load_settings())
run_worker(load_settings(), main)
"""


@contextmanager
def idle_worker(settings: Settings, topic: str, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker in a process of its own, once it is ready."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", IDLE_WORKER, topic, f"group-{topic}"], env=environment(settings), stderr=file
        )
    try:
        wait(lambda: b'"ready"' in log.read_bytes(), 60)
        yield process
    finally:
        process.kill()
        process.wait()


def test_of_two_workers_with_one_instance_id_the_newer_stays(services: Services, topic: str, tmp_path: Path) -> None:
    """The older ends by name, in place of both taking the partitions from each other without a word."""
    settings = Settings(
        data_dir=tmp_path,
        kafka_bootstrap=services.kafka_bootstrap,
        session_timeout_s=SESSION_S,
        instance_id="one",
        log_format="json",
    )
    with (
        idle_worker(settings, topic, tmp_path / "older.log") as older,
        idle_worker(settings, topic, tmp_path / "newer.log") as newer,
    ):
        assert 1 == older.wait(30)
        assert b'"error": "fenced-instance-id"' in (tmp_path / "older.log").read_bytes()
        newer.terminate()
        assert 0 == newer.wait(30)
    assert b"member_id was not recognized" not in (tmp_path / "newer.log").read_bytes()


async def _true(condition: object) -> bool:
    return bool(condition)
