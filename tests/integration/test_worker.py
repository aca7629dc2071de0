"""A worker process from start to end."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import orjson
import pytest

from infra.kafka.clients import admin_client
from infra.kafka.topics import create_topics
from infra.process import module
from infra.settings import Settings
from model.champion import promote
from tests.integration.conftest import Services
from tests.integration.road import answers, environment, eventually, good, send, wait

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@contextmanager
def worker(name: str, settings: Settings, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker; killed at the end if it still runs."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            module("scripts", "worker", name), env=environment(settings), stderr=file, cwd=settings.data_dir
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def names(folder: Path) -> set[str]:
    """What is in a folder."""
    return {path.name for path in folder.iterdir()}


def causes(port: int) -> dict[str, str] | None:
    """What the worker waits for; empty when it is ready, None when it does not answer."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2):
            return {}
    except HTTPError as error:
        with error:
            waiting: dict[str, str] = orjson.loads(error.read())["causes"]
            return waiting
    except OSError:
        return None


async def test_without_a_champion_nothing_is_consumed_until_there_is_one(
    services: Services, bundle: Path, tmp_path: Path
) -> None:
    """The worker says `aisle train` and is not ready; a champion puts it to work; SIGTERM ends it with 0."""
    async with admin_client(services.kafka_bootstrap) as admin:
        await create_topics(admin, services.settings)
    settings = Settings(data_dir=tmp_path, kafka_bootstrap=services.kafka_bootstrap, health_port=free_port())
    event = good(1)
    await send(services.kafka_bootstrap, "products.in", [event])
    with worker("classify", settings, tmp_path / "worker.log") as process:
        wait(lambda: "aisle train" in (causes(settings.health_port) or {}).get("model", ""), 30)
        assert not await answers(services.kafka_bootstrap, "predictions.out", [event.event_id])

        promote(tmp_path / "models", bundle, by="test", why="the first one")

        async def answered() -> bool:
            return bool(await answers(services.kafka_bootstrap, "predictions.out", [event.event_id]))

        await eventually(answered, 60)
        assert causes(settings.health_port) == {}
        process.terminate()
        assert process.wait(30) == 0
    assert await answers(services.kafka_bootstrap, "predictions.out", [event.event_id]) == {event.event_id: 1}
    assert names(tmp_path) == {"models", "worker.log"}, "a worker writes nothing beside"


def test_the_archive_waits_for_its_store(services: Services, tmp_path: Path) -> None:
    """With the store away the archive lives, is not ready, says so, and does not join its group."""
    settings = Settings(
        data_dir=tmp_path,
        kafka_bootstrap=services.kafka_bootstrap,
        mongodb_uri=f"mongodb://user:pass-word@127.0.0.1:{free_port()}",
        health_port=free_port(),
    )
    log = tmp_path / "worker.log"
    with worker("archive", settings, log) as process:
        wait(lambda: "store" in (causes(settings.health_port) or {}), 30)
        wait(lambda: b"waiting for the store" in log.read_bytes(), 30)
        process.terminate()
        assert process.wait(30) == 0
    assert b"pass-word" not in log.read_bytes()


async def test_a_broker_away_at_the_start_is_waited_for(bundle: Path, tmp_path: Path) -> None:
    """The worker neither ends nor fails while no broker answers."""
    settings = Settings(
        data_dir=tmp_path, model=bundle, kafka_bootstrap=f"127.0.0.1:{free_port()}", health_port=free_port()
    )
    with worker("classify", settings, tmp_path / "worker.log") as process:
        wait(lambda: "broker" in (causes(settings.health_port) or {}), 60)
        assert process.poll() is None
        process.terminate()
        assert process.wait(30) == 0


def test_a_taken_health_port_is_one_clear_line(tmp_path: Path) -> None:
    """No traceback, the port and the setting named, exit status 1."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        settings = Settings(data_dir=tmp_path, health_port=holder.getsockname()[1])
        done = subprocess.run(
            module("scripts", "worker", "archive"),
            env=environment(settings) | {"AISLE_LOG_FORMAT": "json"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert orjson.loads(line)["error"] == "port-taken"
