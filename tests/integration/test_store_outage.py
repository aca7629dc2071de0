"""The archive while its store is away: it leaves its group, lives on, and comes back."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from mode.threads import WorkerThread
from pymongo import MongoClient

from infra.errors import StoreRefused
from infra.kafka.clients import admin_client
from infra.kafka.topics import create_topics
from infra.settings import Settings
from infra.store import Store
from streams.archive import ArchiveStage
from streams.archive_worker import GROUP, main
from streams.worker import Worker
from tests.integration.conftest import Services
from tests.integration.proxy import Proxy, proxy
from tests.integration.road import eventually, good, send

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@pytest.fixture
async def store(services: Services) -> AsyncIterator[Proxy]:
    """The way to the store, which a test may cut."""
    host, _, port = services.mongodb_uri.removeprefix("mongodb://").partition("/")[0].rpartition(":")
    async with proxy(host, int(port)) as way:
        yield way


@asynccontextmanager
async def archiving(
    services: Services, store: Proxy, folder: Path, **settings: Any
) -> AsyncIterator[tuple[Worker, "asyncio.Task[None]"]]:
    """An archive worker in this process with a database of its own, ready, and its work."""
    async with admin_client(services.kafka_bootstrap) as admin:
        await create_topics(admin, services.settings)
    worker = Worker(
        Settings(
            data_dir=folder,
            kafka_bootstrap=services.kafka_bootstrap,
            mongodb_uri=f"mongodb://127.0.0.1:{store.port}/?serverSelectionTimeoutMS=300",
            mongodb_database=f"test-{uuid4().hex}",
            **settings,
        )
    )
    work = asyncio.create_task(main(worker))
    try:
        await eventually(lambda: _is(not worker.health.waiting), 60)
        yield worker, work
    finally:
        if not work.done():
            await worker.stop()
        work.cancel()
        await asyncio.wait({work})


async def members(services: Services) -> int:
    """How many members the archive's group has."""
    async with admin_client(services.kafka_bootstrap) as admin:
        (answer,) = await admin.describe_consumer_groups([GROUP])
        return len(answer.groups[0][5])


async def publish(services: Services, count: int) -> list[str]:
    """Publish products; their event ids."""
    products = [good(number) for number in range(count)]
    await send(services.kafka_bootstrap, "products.in", products)
    return [product.event_id for product in products]


async def archived(services: Services, worker: Worker, ids: list[str]) -> int:
    """How many of these events the store has."""

    def count() -> int:
        with MongoClient[dict[str, Any]](services.mongodb_uri) as client:
            return client[worker.settings.mongodb_database]["items"].count_documents({"_id": {"$in": ids}})

    return await asyncio.to_thread(count)


async def test_the_archive_leaves_its_group_while_the_store_is_away_and_comes_back(
    services: Services, store: Proxy, tmp_path: Path
) -> None:
    """Alive, not ready for want of the store, no member of its group; then a member again, with nothing lost."""
    async with archiving(services, store, tmp_path, retry_budget_s=1) as (worker, _):
        threads = _threads()
        await store.down()
        ids = await publish(services, 500)
        await eventually(lambda: _is("store" in worker.health.waiting), 30)
        assert {} == worker.health.stuck
        assert 0 == await members(services)
        assert [] == _threads()

        await store.up()
        await eventually(lambda: _is(not worker.health.waiting), 60)

        async def all_are_there() -> bool:
            return len(ids) == await archived(services, worker, ids)

        await eventually(all_are_there, 30)
        assert 1 == await members(services)
        assert threads == _threads(), "the app that was left leaves no thread"


async def test_a_store_that_refuses_ends_the_archive_with_its_name(
    services: Services, store: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing right is nothing to wait for: the error comes through by name, and the group is left at once."""

    async def refuse(*_arguments: Any) -> None:
        raise StoreRefused("The store refuses: not authorized to write.")

    async with archiving(services, store, tmp_path) as (_, work):
        monkeypatch.setattr(Store, "upsert", refuse)
        await publish(services, 1)
        with pytest.raises(StoreRefused, match="not authorized"):
            await work
        assert 0 == await members(services)


async def test_a_crash_leaves_the_group_at_once(services: Services, store: Proxy, tmp_path: Path) -> None:
    """Whatever else ends the agent, nobody has to wait for the session timeout of the dead member."""
    async with archiving(services, store, tmp_path) as (worker, work):
        app = worker.app
        with patch.object(ArchiveStage, "decode", side_effect=RuntimeError("as planned")):
            await publish(services, 1)
            with pytest.raises(RuntimeError, match="as planned"):
                await work
        assert 0 == await members(services)
    assert app is not None
    await app.producer.stop()  # the process would end here


async def _is(condition: bool) -> bool:
    return condition


def _threads() -> list[str]:
    return [thread.__class__.__qualname__ for thread in threading.enumerate() if isinstance(thread, WorkerThread)]
