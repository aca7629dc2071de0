"""A whole aisle in processes of its own, and plain clients to meet it with."""

import asyncio
import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
from aiokafka import AIOKafkaProducer
from pymongo import MongoClient

from infra.endpoints import find_endpoints
from infra.kafka.security import client_security
from infra.process import Launch, Running, end, module, settings_variables, spawn
from infra.settings import Settings
from tests.chaos.verify import read

EVENT_ID = "aisle-event-id"


@dataclass(frozen=True, slots=True)
class Raw:
    """A record to send exactly as it is."""

    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()
    event_id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def all_headers(self) -> list[tuple[str, bytes]]:
        """Its headers and the event id."""
        return [*self.headers, (EVENT_ID, self.event_id.encode())]


def good(number: int, **fields: Any) -> Raw:
    """A product that is easy to classify."""
    product = {"product_id": f"p{number}", "title": f"Soupe de légumes n° {number}"} | fields
    return Raw(json.dumps(product).encode(), key=f"p{number}".encode())


class Road:
    """``aisle up`` in a process group of its own.

    Args:
        settings: With a data directory of its own.
        log: Where its lines go.
        arguments: Further arguments of ``aisle up``.
    """

    def __init__(self, settings: Settings, log: Path, *arguments: str) -> None:
        self.settings = settings
        self.log = log
        self._arguments = arguments
        self._running: Running | None = None

    def start(self, within_s: float = 180) -> None:
        """Start it, and wait until its workers are ready."""
        variables = settings_variables(self.settings) | {"AISLE_LOG_FORMAT": "json"}
        launch = Launch(module("scripts", "up", *self._arguments), variables, self.log)
        self._running = spawn(launch, deadline_s=30)
        workers = ("classify-1", "archive")
        wait(lambda: all(f'"worker": "{name.partition("-")[0]}"' in self.ready_lines() for name in workers), within_s)

    def ready_lines(self) -> str:
        """The log's lines of workers that are ready."""
        text = self.log.read_text() if self.log.exists() else ""
        return "\n".join(line for line in text.splitlines() if '"event": "ready"' in line)

    @property
    def gateway(self) -> str:
        """Where its gateway serves."""
        lines = [line for line in self.log.read_text().splitlines() if '"event": "serving"' in line]
        url: str = json.loads(lines[-1][lines[-1].index("{") :])["url"]
        return url

    def stop(self) -> int:
        """Stop it as Ctrl-C does; its exit status."""
        assert self._running is not None
        return end(self._running, within_s=60)

    @property
    def kafka(self) -> str:
        """``host:port`` of its broker."""
        return find_endpoints(self.settings).kafka_bootstrap

    @property
    def mongodb(self) -> str:
        """URI of its store."""
        return find_endpoints(self.settings).mongodb_uri

    def pids(self, *words: str) -> list[int]:
        """Its processes whose command line has all of these words."""
        assert self._running is not None
        parent = psutil.Process(self._running.process.pid)
        return [child.pid for child in parent.children(recursive=True) if set(words) <= set(_command_line(child))]

    def items(self, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The items with these ids."""
        with MongoClient[dict[str, Any]](self.mongodb, tz_aware=True) as client:
            found = client[self.settings.mongodb_database]["items"].find({"_id": {"$in": list(ids)}})
            return {item["_id"]: item for item in found}

    def aisle(self, *arguments: str, text: str | None = None) -> "subprocess.CompletedProcess[str]":
        """Run a command of aisle against it."""
        return subprocess.run(
            module("scripts", *arguments),
            env=environment(self.settings),
            input=text,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )


async def send(bootstrap: str, topic: str, records: Iterable[Raw], *, compression: str | None = None) -> None:
    """Send records with a plain client, in order."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        max_request_size=4 << 20,
        max_batch_size=1 << 20,
        compression_type=compression,
        **client_security().arguments(),
    )
    await producer.start()
    try:
        waiting = [
            await producer.send(topic, record.value, key=record.key, headers=record.all_headers) for record in records
        ]
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()


async def answers(bootstrap: str, topic: str, ids: Iterable[str]) -> Counter[str]:
    """How often each of these events is in a topic now."""
    wanted = set(ids)
    return Counter(row[2] for row in await read(bootstrap, topic) if row[2] in wanted)


def wait(condition: Callable[[], Any], within_s: float) -> None:
    """Return when the condition holds; fail when it does not in time."""
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, f"not within {within_s:g} s"
        time.sleep(0.1)


async def eventually(condition: Callable[[], Awaitable[Any]], within_s: float, every_s: float = 0.2) -> None:
    """Return when the condition holds, looked at so often; fail when it does not in time."""
    until = time.monotonic() + within_s
    while not await condition():
        assert time.monotonic() < until, f"not within {within_s:g} s"
        await asyncio.sleep(every_s)


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def environment(settings: Settings) -> dict[str, str]:
    """This process's environment with these settings."""
    return {**os.environ, **settings_variables(settings)}
