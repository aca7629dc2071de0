"""A worker process from start to end."""

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen
from uuid import uuid4

import orjson
import pytest

from infra.kafka.clients import admin_client, reader_client, records
from infra.kafka.topics import create_topics
from infra.model_events import read_standing
from infra.process import module
from infra.settings import Settings
from model.bundle import read_manifest
from model.champion import promote
from schemas.content import key_of
from schemas.product import Product
from tests.integration.conftest import Services
from tests.integration.road import Raw, answers, environment, eventually, good, send, wait

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


def verdict_on(sent: Raw, code: str) -> Raw:
    """The record that says what a person has decided of a product's content."""
    product = Product.model_validate_json(sent.value or b"")
    verdict = {"code": code, "verdict": "corrected", "by": "ada", "at": "2026-11-21T12:00:00Z"}
    value = orjson.dumps(verdict | {"event_id": sent.event_id, "feedback_id": "f"})
    return Raw(value, key_of(product).encode())


async def answer_to(bootstrap: str, event_id: str) -> dict[str, Any]:
    """The first prediction of an event."""
    async with asyncio.timeout(30), reader_client(bootstrap, "predictions.out", from_start=True) as reader:
        async for record in records(reader):
            answer: dict[str, Any] = orjson.loads(record.value)
            if event_id == answer.get("event_id"):  # other tests write here too
                return answer
    raise AssertionError


def another(bundle: Path, version: str, models_dir: Path, *, golden: bool = True) -> str:
    """The same model under another version, below a folder of bundles; perhaps with golden answers of another."""
    path = shutil.copytree(bundle, models_dir / version) / "manifest.json"
    manifest = orjson.loads(path.read_bytes()) | {"version": version}
    if not golden:
        stages = manifest["golden"][0]["probabilities"]
        stages["text"] = stages["text"][::-1]
    path.chmod(0o644)
    path.write_bytes(orjson.dumps(manifest))
    return version


def aisle(settings: Settings, *arguments: str) -> None:
    """Run a command."""
    subprocess.run(module("scripts", *arguments), env=environment(settings), check=True, timeout=60)


async def test_without_a_champion_nothing_is_consumed_until_there_is_one(
    services: Services, bundle: Path, tmp_path: Path
) -> None:
    """The worker says `aisle train` and is not ready; a champion puts it to work; SIGTERM ends it with 0.

    What a person had decided of a content before it started, it knows with its first answer. A promotion and a
    rollback take effect while it runs; a bundle that cannot be served has none.
    """
    kafka = services.kafka_bootstrap
    async with admin_client(kafka) as admin:
        await create_topics(admin, services.settings)
    settings = Settings(data_dir=tmp_path, kafka_bootstrap=kafka, health_port=free_port())
    models_dir = tmp_path / "models"
    event, decided = good(1), good(2, title=f"decided {uuid4()}")
    await send(kafka, "verdicts", [verdict_on(decided, read_manifest(bundle).categories[-1].code)])
    await send(kafka, "products.in", [decided, event])
    with worker("classify", settings, tmp_path / "worker.log") as process:
        wait(lambda: "aisle train" in (causes(settings.health_port) or {}).get("model", ""), 30)
        assert not await answers(kafka, "predictions.out", [event.event_id])

        first = promote(models_dir, bundle, by="test", why="the first one")

        both = [event.event_id, decided.event_id]

        async def answered() -> bool:
            return 2 == len(await answers(kafka, "predictions.out", both))

        await eventually(answered, 60)
        assert causes(settings.health_port) == {}

        async def told() -> bool:
            return first == (await read_standing(kafka)).champion

        await eventually(told, 30)

        async def answers_by(version: str) -> None:
            """Return once the worker answers by that version."""
            async with asyncio.timeout(60):
                while True:
                    one = good(3)
                    await send(kafka, "products.in", [one])
                    if version == (await answer_to(kafka, one.event_id))["model"]["version"]:
                        return

        aisle(settings, "models", "promote", another(bundle, "second", models_dir))
        await answers_by("second")
        aisle(settings, "models", "rollback")
        await answers_by(bundle.name)
        aisle(settings, "models", "promote", another(bundle, "third", models_dir, golden=False))
        wait(lambda: b"model not swapped" in (tmp_path / "worker.log").read_bytes(), 60)
        await answers_by(bundle.name)
        assert causes(settings.health_port) == {}
        process.terminate()
        assert process.wait(30) == 0
    assert await answers(kafka, "predictions.out", [event.event_id]) == {event.event_id: 1}
    assert "reviewer" == (await answer_to(kafka, decided.event_id))["decided_by"]
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
