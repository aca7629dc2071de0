"""What a worker makes of its own signs of life."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import AsyncMock, Mock

import pytest
from structlog.testing import capture_logs

from infra.kafka.topics import TopicState
from infra.settings import Settings
from schemas.topics import FEEDBACK, MODELS_EVENTS, PRODUCTS_IN, SHADOW_OUT, TOPICS, VERDICTS
from streams.worker import Worker


@pytest.fixture(autouse=True)
def _quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.worker._LOOK_EVERY_S", 0.01)


@pytest.fixture
async def worker(tmp_path: Path) -> Worker:
    """A worker with an app of which only the intake's word is asked."""
    worker = Worker(Settings(data_dir=tmp_path, intake_stall_s=20))
    worker.app = Mock(batch_consumer=Mock(stuck_s=0.0))
    return worker


async def test_a_consumer_that_gets_nothing_ends_the_worker_by_name(worker: Worker) -> None:
    """Past its limit the intake is no longer alive, which is the worker's end, with the cause in the error."""
    stuck = asyncio.create_task(worker.stuck())
    worker.app.batch_consumer.stuck_s = 19.0  # type: ignore[union-attr, misc] # a mock
    await asyncio.sleep(0.1)
    assert ({}, False) == (worker.health.stuck, stuck.done())
    worker.app.batch_consumer.stuck_s = 21.0  # type: ignore[union-attr, misc] # a mock
    error = await asyncio.wait_for(stuck, 10)
    assert ("worker-stuck", "intake: records wait, and none came for 21 s.") == (error.code, error.message)


async def test_a_worker_that_was_stopped_for_a_while_does_not_end_itself(worker: Worker) -> None:
    """After a SIGSTOP every age has jumped: two looks at that, until the first fetch is back, end nothing."""
    looks = iter([0.0, 25.0, 25.0] * 10)
    asked = 0

    class Intake:
        @property
        def stuck_s(self) -> float:
            nonlocal asked
            asked += 1
            return next(looks, 0.0)

    worker.app = Mock(batch_consumer=Intake())
    stuck = asyncio.create_task(worker.stuck())
    async with asyncio.timeout(20):
        while asked < 40:
            await asyncio.sleep(0.01)
    assert not stuck.done()
    stuck.cancel()


async def test_without_an_app_nothing_is_stuck(worker: Worker) -> None:
    """A worker that waits for its store or its model consumes nothing, and that is no fault of its intake."""
    worker.app.batch_consumer.stuck_s = 99.0  # type: ignore[union-attr, misc] # a mock
    worker.app = None
    assert {} == worker.health.stuck


async def test_a_missing_topic_is_waited_for_by_those_who_need_it_alone(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an upgrade: classify goes on without shadow.out, the archive says what to run, and goes on when it is."""
    missing = {SHADOW_OUT}

    async def states(_admin: object) -> list[TopicState]:
        return [TopicState(spec.name, spec.purpose, 0 if spec.name in missing else 8) for spec in TOPICS]

    @asynccontextmanager
    async def admin(_bootstrap: str) -> AsyncIterator[None]:
        yield

    monkeypatch.setattr("streams.worker.topic_states", states)
    monkeypatch.setattr("streams.worker.admin_client", admin)
    monkeypatch.setattr("streams.worker.wait_for_broker", AsyncMock())
    monkeypatch.setattr("streams.worker.find_kafka", lambda _settings: "here:1")
    monkeypatch.setattr("streams.worker._TOPICS_EVERY_S", 0.01)
    async with asyncio.timeout(10):
        assert "here:1" == await worker.broker(PRODUCTS_IN, MODELS_EVENTS, VERDICTS)
        with capture_logs() as lines:
            waiting = asyncio.create_task(worker.broker(FEEDBACK, SHADOW_OUT))
            while not lines:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            why = "Missing topics: shadow.out. Run `aisle topics create`."
            assert (why, False) == (worker.health.waiting["broker"], waiting.done())
            missing.clear()
            assert "here:1" == await waiting
    assert [why] == [line["why"] for line in lines]  # once, however often it looks
    assert "broker" not in worker.health.waiting
