"""A worker that is stuck, or is told to stop while it is busy: how it ends, and what it leaves."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.structs import ConsumerRecord
from structlog.testing import capture_logs

from infra.kafka.app import BatchApp, new_app
from infra.kafka.clients import admin_client
from infra.kafka.security import client_security
from infra.settings import Settings
from streams.commit import run_stage
from streams.lifetime import _supervise
from streams.worker import Worker
from tests.integration.conftest import Services
from tests.integration.road import eventually, good, send

pytestmark = pytest.mark.integration


@pytest.fixture
async def topic(services: Services) -> str:
    """A topic of this test's own with three records."""
    name = f"test-{uuid4()}"
    async with admin_client(services.kafka_bootstrap) as admin:
        await admin.create_topics([NewTopic(name, 1, 1)])
    await send(services.kafka_bootstrap, name, [good(number) for number in range(3)])
    return name


class SlowStage:
    """A stage whose model takes as long as it is told to."""

    def __init__(self, model: Callable[[], Awaitable[None]]) -> None:
        self._model = model
        self.began = 0
        self.delivered = 0
        self.store_is_open = True

    def decode(self, records: Sequence[ConsumerRecord]) -> Sequence[ConsumerRecord]:
        """Nothing to decode."""
        return records

    async def work(self, decoded: Sequence[ConsumerRecord]) -> int:
        """Call the model."""
        self.began += 1
        await self._model()
        return len(decoded)

    async def deliver(self, results: int) -> None:
        """Count."""
        assert self.store_is_open
        self.delivered += results

    def condemn(self, records: Sequence[ConsumerRecord], tries: int) -> int:  # noqa: ARG002 - the protocol's
        """Never asked for."""
        return 0


def settings(services: Services, folder: Path, **chosen: Any) -> Settings:
    """Settings of a worker, with small limits."""
    return Settings.model_validate({"data_dir": folder, "kafka_bootstrap": services.kafka_bootstrap, **chosen})


@dataclass
class Run:
    """A worker's life: its app, the exit status, and the codes of the errors that it named."""

    settings: Settings
    topic: str
    stage: SlowStage
    app: BatchApp | None = None
    status: int | None = None
    errors: list[str] = field(default_factory=list)

    async def __call__(self) -> None:
        """Run it to its end."""
        with capture_logs() as lines:
            self.status = await _supervise(self.settings, self._main)
        self.errors = [str(line["error"]) for line in lines if line["log_level"] == "error" and "error" in line]

    async def _main(self, worker: Worker) -> None:
        self.app = new_app(f"group-{self.topic}", self.settings, str(self.settings.kafka_bootstrap))

        @self.app.agent(self.app.topic(self.topic), name="test")
        async def agent(stream: Any) -> None:
            await run_stage(stream, self.stage, worker.progress)

        await worker.run(self.app)
        self.stage.store_is_open = False


async def committed(services: Services, topic: str) -> int:
    """The group's committed offset."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=services.kafka_bootstrap, group_id=f"group-{topic}", **client_security().arguments()
    )
    await consumer.start()
    try:
        return await consumer.committed(TopicPartition(topic, 0)) or 0
    finally:
        await consumer.stop()


async def _answer() -> None:
    await asyncio.sleep(0.5)


async def _hang() -> None:
    await asyncio.sleep(600)


async def _fail() -> None:
    await asyncio.sleep(0.5)
    raise RuntimeError("as planned")


@pytest.mark.parametrize(
    ("model", "ends"),
    [
        pytest.param(_answer, (0, [], 3), id="a model that answers"),
        pytest.param(_hang, (1, ["not-drained"], 0), id="a model that does not"),
        pytest.param(_fail, (1, ["not-drained"], 0), id="a model that fails meanwhile"),
    ],
)
async def test_a_stop_waits_for_the_model_and_no_longer(
    services: Services, topic: str, tmp_path: Path, model: Callable[[], Awaitable[None]], ends: tuple[Any, ...]
) -> None:
    """SIGTERM lets the batch in hand finish; past the drain deadline it ends with 1, and commits nothing of it."""
    told = asyncio.Event()

    async def work() -> None:
        await told.wait()
        await model()

    stage = SlowStage(work)
    run = Run(settings(services, tmp_path, drain_timeout_s=1), topic, stage)
    working = asyncio.create_task(run())
    await eventually(lambda: _true(stage.began), 60)
    os.kill(os.getpid(), signal.SIGTERM)
    told.set()
    await asyncio.wait_for(working, 30)
    assert ends == (run.status, run.errors, stage.delivered)
    assert stage.delivered == await committed(services, topic)


async def test_a_worker_whose_intake_is_stuck_ends_itself(
    services: Services, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records wait and the fetch never returns: not alive, and the worker ends by name for its supervisor."""
    hangs = True

    async def hang(*_arguments: Any) -> dict[Any, Any]:
        while hangs:
            await asyncio.sleep(0.05)
        return {}

    monkeypatch.setattr("infra.kafka.intake.fetch", hang)
    run = Run(settings(services, tmp_path, intake_stall_s=1), topic, SlowStage(lambda: asyncio.sleep(0)))
    await asyncio.wait_for(run(), 60)
    assert (1, ["worker-stuck"], 0) == (run.status, run.errors, run.stage.began)
    hangs = False
    assert run.app is not None
    await run.app.stop()  # the process would end here


async def _true(condition: object) -> bool:
    return bool(condition)
