"""The broker of the benches: a local one of its own, topics made fresh, groups put to a place."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Final, Self

import psutil
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition
from pydantic import SecretStr

from infra.kafka.clients import admin_client
from infra.kafka.topics import create_topics
from infra.local.ports import any_free_port
from infra.local.services import LocalServices
from infra.settings import Settings
from schemas.topics import TOPICS

PARTITIONS: Final = 8
_POLL_S: Final = 0.05
_ANSWER_S: Final = 2.0
_PLACE_S: Final = 90.0


class Broker:
    """Apache Kafka in a process of its own, with the flags that `aisle up` gives it.

    Args:
        data_dir: Where it keeps its data; empty at first.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        no_store = SecretStr("mongodb://unused:1")  # so that none is started
        self._settings = Settings(
            data_dir=data_dir, kafka_bootstrap=None, mongodb_uri=no_store, topic_partitions=PARTITIONS
        )
        self.services = LocalServices(self._settings)

    @property
    def pid(self) -> int:
        """Its process."""
        return self.services.status()["kafka"].pid

    @property
    def bootstrap(self) -> str:
        """``host:port``."""
        return self.services.status()["kafka"].address

    def cpu_s(self) -> float:
        """CPU seconds that it has used."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    async def create_topics(self) -> None:
        """All of aisle's topics."""
        async with admin_client(self.bootstrap) as admin:
            await create_topics(admin, self._settings)

    async def renew(self, topic: str) -> None:
        """Delete a topic and make it anew, empty; returns when it can be written to."""
        spec = next(spec for spec in TOPICS if spec.name == topic)
        async with admin_client(self.bootstrap) as admin:
            await admin.delete_topics([topic])
            while topic in await admin.list_topics():
                await asyncio.sleep(_POLL_S)
            new = NewTopic(topic, PARTITIONS, 1, topic_configs=spec.config())
            while (await admin.create_topics([new])).topic_errors[0][1]:
                await asyncio.sleep(_POLL_S)
        async with Ends(self.bootstrap, topic) as ends:
            while sum(await ends.now()):
                await asyncio.sleep(_POLL_S)

    async def place(self, group: str, topic: str, waiting: int) -> None:
        """Put an idle group so that this many events wait for it, the same number in each partition."""
        async with Ends(self.bootstrap, topic) as ends:
            offsets = {
                TopicPartition(topic, partition): max(0, end - waiting // PARTITIONS)
                for partition, end in enumerate(await ends.now())
            }
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, group_id=group, enable_auto_commit=False)
        consumer.assign(list(offsets))
        await consumer.start()
        try:
            deadline = monotonic() + _PLACE_S
            while True:
                try:
                    return await consumer.commit(offsets)  # type: ignore[no-any-return] # aiokafka has no types
                except KafkaError:  # the members of a moment ago have not all been forgotten
                    if monotonic() > deadline:
                        raise
                    await asyncio.sleep(_POLL_S)
        finally:
            await consumer.stop()


class Ends:
    """How far the partitions of a topic are, read again and again, also over the broker's absence.

    Args:
        bootstrap: ``host:port`` of the broker.
        topic: Which.
    """

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._bootstrap = bootstrap
        self._partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        self._reader: AIOKafkaConsumer | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._close()

    async def now(self) -> list[int]:
        """The end offset of each partition; waits until the broker says."""
        while True:
            try:
                async with asyncio.timeout(_ANSWER_S):
                    if self._reader is None:
                        self._reader = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, enable_auto_commit=False)
                        await self._reader.start()
                    ends = await self._reader.end_offsets(self._partitions)
                    return [ends[partition] for partition in self._partitions]
            except (KafkaError, OSError, TimeoutError):
                await self._close()
                await asyncio.sleep(_POLL_S)

    async def total(self) -> int:
        """All events of the topic."""
        return sum(await self.now())

    async def _close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.stop()


@contextmanager
def running(data_dir: Path) -> Iterator[Broker]:
    """A broker while the context lasts, on data of its own and a port that nobody expects it at."""
    ports = {name: any_free_port() for name in ("broker", "controller")}
    shutil.rmtree(data_dir / "kafka", ignore_errors=True)
    (data_dir / "kafka").mkdir(parents=True)
    (data_dir / "kafka" / "ports.json").write_text(json.dumps(ports))
    broker = Broker(data_dir)
    with broker.services:
        asyncio.run(broker.create_topics())
        yield broker
