"""Nothing is lost, whatever is killed."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import pytest
from aiokafka import AIOKafkaProducer

from infra.settings import Settings
from tests.chaos.verify import verify_until_right
from tests.integration.road import Raw, Road, good

pytestmark = [pytest.mark.integration, pytest.mark.chaos, pytest.mark.timeout(400)]

EVENTS = int(os.environ.get("AISLE_CHAOS_EVENTS", "20000"))
LASTS_S = float(os.environ.get("AISLE_CHAOS_SECONDS", "64"))
BAD_EVERY = 500


def event(number: int) -> Raw:
    """One event of the flood; now and then a bad one."""
    return Raw(b"poison", key=str(number).encode()) if number % BAD_EVERY == 0 else good(number)


async def publish_steadily(bootstrap: str, count: int, lasts_s: float) -> None:
    """Send events at a steady rate; a delivery that fails for good fails the test."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, request_timeout_ms=60_000)
    await producer.start()
    try:
        started, waiting = monotonic(), []
        for number in range(count):
            await asyncio.sleep(started + number * lasts_s / count - monotonic())
            one = event(number)
            waiting.append(await producer.send("products.in", one.value, key=one.key, headers=one.all_headers))
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()


async def kill(road: Road, *words: str) -> None:
    """SIGKILL the process with these words in its command line, once there is one."""
    while not (pids := road.pids(*words)):
        await asyncio.sleep(0.1)
    os.kill(pids[0], signal.SIGKILL)


@asynccontextmanager
async def schedule(faults: list[tuple[float, Callable[[], Awaitable[None]]]]) -> AsyncIterator[None]:
    """Let faults happen at their times, in seconds from now, while the context lasts."""

    async def run() -> None:
        started = monotonic()
        for at, fault in sorted(faults, key=lambda one: one[0]):
            await asyncio.sleep(max(0.0, started + at - monotonic()))
            await fault()

    task = asyncio.create_task(run())
    try:
        yield
        await task
    finally:
        task.cancel()


async def test_kills_lose_nothing(bundle: Path, tmp_path: Path) -> None:
    """Workers killed three times and the broker once under load: each event answered, each one document."""
    seed = int(os.environ.get("AISLE_CHAOS_SEED", random.randrange(10**6)))
    print(f"AISLE_CHAOS_SEED={seed}")
    dice = random.Random(seed)
    road = Road(Settings(data_dir=tmp_path / "var", model=bundle), tmp_path / "up.log")
    road.start()
    try:
        worker_kills = [LASTS_S * share + dice.uniform(0, LASTS_S / 8) for share in (0.1, 0.4, 0.75)]
        faults: list[tuple[float, Callable[[], Awaitable[None]]]] = [
            (at, lambda: kill(road, "worker", "classify")) for at in worker_kills
        ]
        faults.append((LASTS_S * 0.58 + dice.uniform(0, 3), lambda: kill(road, "infra.local.jvm", "kafka")))
        faults.append((LASTS_S * 0.25, lambda: kill(road, "worker", "archive")))
        kafka, mongodb = road.kafka, road.mongodb
        async with schedule(faults):
            await publish_steadily(kafka, EVENTS, LASTS_S)
        verdict = await verify_until_right(kafka, mongodb, within_s=120)
        print(verdict)
    finally:
        status = road.stop()

    assert verdict.published == EVENTS
    assert verdict.lost == []
    assert verdict.not_archived == []
    assert verdict.unasked == 0
    assert verdict.out_of_order == 0
    assert verdict.documents == EVENTS
    assert verdict.dead_lettered == EVENTS // BAD_EVERY
    assert verdict.predicted == EVENTS - EVENTS // BAD_EVERY
    assert status == 0
