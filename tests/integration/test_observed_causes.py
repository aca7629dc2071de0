"""Alerts on what happens to a process: each is caused in real processes of aisle, and told by a real Prometheus."""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest
from pymongo import MongoClient

from infra.kafka.clients import admin_client
from infra.kafka.topics import create_topics
from infra.runs import Runs
from infra.settings import Settings
from infra.store import Store
from schemas.topics import MODELS_EVENTS, PRODUCTS_IN
from tests.bundles import decided, make_bundle
from tests.chaos.events import KILLS
from tests.integration.conftest import Services
from tests.integration.observed import WITHIN_S, Process, Prometheus, fires, needs_prometheus, prometheus, worker
from tests.integration.road import Raw, good, send, wait
from workers.promotion import put_in_force

pytestmark = [pytest.mark.integration, pytest.mark.contract, pytest.mark.timeout(300), needs_prometheus]

NUMBERS = count(10**6)
DECIDED, OTHER = "decided", "other"
"""The model that was decided for, and another."""
STOPPED_S = 0.8


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Prometheus, which asks nobody yet."""
    with prometheus(tmp_path_factory.mktemp("prometheus")) as server:
        yield server


@pytest.fixture(scope="module")
def place(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Where a model was decided for five minutes ago; nobody has kept what it was trained on."""
    folder = tmp_path_factory.mktemp("place")
    settings = Settings(
        data_dir=folder,
        kafka_bootstrap=services.kafka_bootstrap,
        mongodb_uri=services.mongodb_uri,
        mongodb_database=f"test-{uuid4().hex}",
    )
    asyncio.run(_topics(settings))
    bundle, at = make_bundle(folder / "models", DECIDED), datetime.now(UTC) - timedelta(minutes=5)
    event = put_in_force(settings, lambda before, _made: decided(bundle, before, at=at)).event
    assert event is not None
    yield settings
    taken_back = Raw(None, key=event.key.encode())  # others may ask the same broker what was decided
    asyncio.run(send(services.kafka_bootstrap, MODELS_EVENTS, [taken_back]))


@pytest.fixture
def waits(services: Services, tmp_path: Path) -> Settings:
    """What an archive runs with that waits for its store, and does no more."""
    return Settings(data_dir=tmp_path, kafka_bootstrap=services.kafka_bootstrap, mongodb_uri="mongodb://127.0.0.1:1")


@pytest.fixture
def classify(place: Settings, tmp_path: Path) -> Iterator[Process]:
    """A worker that is told to serve another model than the one that was decided for."""
    bundle = make_bundle(tmp_path, OTHER)
    settings = place.model_copy(update={"model": bundle, "instance_id": "played"})  # it comes back to its place at once
    with worker("classify", settings, tmp_path / "log", "tests.integration.observed_worker") as process:
        yield process


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, unmount = ("mount", "-t", "tmpfs", "-o", "size=1m", "aisle", str(folder)), ("umount", str(folder))
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system can be mounted by root alone")
    yield folder
    subprocess.run(unmount, check=True)


def test_a_process_that_is_killed_again_and_again_is_told(server: Prometheus, waits: Settings) -> None:
    """Each time that Prometheus has seen it, it is killed and started again."""
    seen = set[float]()
    with worker("archive", waits, waits.data_dir / "log") as archive:
        server.asks([archive.target])

        def killed() -> None:
            started = {value for _, value in server.query(f"process_start_time_seconds{_of(archive)}")}
            if started - seen:
                seen.update(started)
                archive.kill()

        fires(server, "AisleRestarting", killed)
    assert 3 < len(seen), "once or twice is no reason"


def test_a_loop_that_gets_no_processor_is_told(server: Prometheus, waits: Settings) -> None:
    """A worker that is stopped for most of each second wakes late."""
    with worker("archive", waits, waits.data_dir / "log") as archive:
        _asked(server, archive)
        fires(server, "AisleLoopLag", lambda: _stopped_a_while(archive.pid))


def test_a_full_disk_is_told(server: Prometheus, waits: Settings, disk: Path) -> None:
    """As soon as there is no room in the data directory."""
    with worker("archive", waits.model_copy(update={"data_dir": disk}), waits.data_dir / "log") as archive:
        _asked(server, archive)
        assert "AisleDiskFull" not in server.firing()
        (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free))
        fires(server, "AisleDiskFull")


def test_a_retraining_that_stands_still_and_one_that_fails_are_told(server: Prometheus, place: Settings) -> None:
    """Its process is stopped; when it goes on, it finds no rows to train on."""
    with worker("retrain", place, place.data_dir / "retrain.log") as retrain:
        _asked(server, retrain)
        asyncio.run(_retraining(place))
        wait(lambda: _training(retrain), WITHIN_S)
        (training,) = _training(retrain)
        training.suspend()
        try:
            fires(server, "AisleRetrainStuck")
            assert "AisleRetrainFailed" not in server.firing()
        finally:
            training.resume()
        fires(server, "AisleRetrainFailed")


def test_a_product_that_ends_its_worker_again_and_again_is_told(
    server: Prometheus, place: Settings, classify: Process
) -> None:
    """It is set aside, and told also by a Prometheus that comes by only when that has been counted."""
    asyncio.run(send(str(place.kafka_bootstrap), PRODUCTS_IN, [good(next(NUMBERS), title=KILLS)]))

    def set_aside() -> bool:
        classify.again()
        return '"event": "dead letter"' in classify.log.read_text()

    wait(set_aside, WITHIN_S)
    server.asks([classify.target])
    fires(server, "AislePoison")


@pytest.mark.usefixtures("classify")
def test_answers_of_another_model_are_told(server: Prometheus, place: Settings) -> None:
    """A worker with `AISLE_MODEL` answers; the monitor that takes over finds it when it looks."""
    with (
        worker("archive", place, place.data_dir / "archive.log"),
        MongoClient[dict[str, Any]](str(place.mongodb_uri and place.mongodb_uri.get_secret_value())) as client,
    ):
        database = client[place.mongodb_database]
        looked = {"kind": "swap", "at": datetime.now(UTC) - timedelta(minutes=2), "model_version": DECIDED}
        database["monitor"].insert_one(looked | {"alert": False, "causes": {}, "told": []})
        asyncio.run(send(str(place.kafka_bootstrap), PRODUCTS_IN, [good(next(NUMBERS)) for _ in range(20)]))
        whole = {"product": {"$exists": True}, "prediction.model.version": OTHER}
        wait(lambda: database["items"].find_one(whole), WITHIN_S)
        with worker("monitor", place, place.data_dir / "monitor.log") as monitor:
            server.asks([monitor.target])
            fires(server, "AisleOtherModelAnswers")


def _asked(server: Prometheus, process: Process) -> None:
    """Return once a process has given its figures."""
    server.asks([process.target])
    wait(lambda: server.query(f"up{_of(process)} == 1"), WITHIN_S)


def _of(process: Process) -> str:
    return f'{{instance="{process.target.name}"}}'


def _stopped_a_while(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(STOPPED_S)
    finally:
        os.kill(pid, signal.SIGCONT)


def _training(retrain: Process) -> list[psutil.Process]:
    """The processes that a retraining worker trains in."""
    children = psutil.Process(retrain.pid).children()
    return [one for one in children if "workers.retrain.child" in one.cmdline()]


async def _retraining(settings: Settings) -> None:
    assert settings.mongodb_uri is not None
    store = Store(settings.mongodb_uri.get_secret_value(), settings.mongodb_database)
    try:
        await Runs(store).ask_by_hand("a test", "to see it fail")
    finally:
        store.close()


async def _topics(settings: Settings) -> None:
    async with admin_client(settings.kafka_bootstrap or "") as admin:
        await create_topics(admin, settings)
