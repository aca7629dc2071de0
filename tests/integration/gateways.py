"""A gateway over the real broker and store, in a thread of its own, with an account and an API key for each role."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from uuid import uuid4

import httpx

from infra.health import Health
from infra.kafka.clients import admin_client
from infra.kafka.topics import create_topics
from infra.local.ports import any_free_port
from infra.settings import Settings
from infra.store import Store
from infra.store_schema import prepare
from schemas.http.account import NewKey, Role
from tests.integration.road import wait
from workers.gateway.accounts.keys import Keys, new_id
from workers.gateway.accounts.passwords import Hasher
from workers.gateway.accounts.users import Users
from workers.gateway.worker import main

PASSWORD = "a long enough pass phrase"  # noqa: S105 - of accounts that end with the test


@dataclass(frozen=True)
class Gateway:
    """A running gateway.

    Args:
        url: Where it serves.
        keys: An API key of an account of each role, whose name is the role's.
        settings: What it runs with.
    """

    url: str
    keys: dict[Role, str]
    settings: Settings

    def client(self, role: Role) -> httpx.Client:
        """A client in a role."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.keys[role]}"}, timeout=30)


@contextmanager
def serving(kafka_bootstrap: str, mongodb_uri: str, data_dir: Path, **more: object) -> Iterator[Gateway]:
    """A gateway with a database of its own."""
    settings = Settings(
        data_dir=data_dir,
        kafka_bootstrap=kafka_bootstrap,
        mongodb_uri=mongodb_uri,
        mongodb_database=f"test-{uuid4().hex}",
        gateway_port=any_free_port(),
        **more,  # type: ignore[arg-type] # names of settings
    )
    keys = asyncio.run(_prepared(settings, mongodb_uri))
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = Future()

    async def work() -> None:
        task = asyncio.create_task(main(settings, Health()))
        started.set_result((asyncio.get_running_loop(), task))
        await asyncio.wait({task})

    thread = Thread(target=lambda: asyncio.run(work()))
    thread.start()
    loop, task = started.result(20)
    url = f"http://127.0.0.1:{settings.gateway_port}"
    try:
        wait(lambda: _is_ready(url), 60)
        yield Gateway(url, keys, settings)
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(20)


async def _prepared(settings: Settings, mongodb_uri: str) -> dict[Role, str]:
    async with admin_client(settings.kafka_bootstrap or "") as admin:
        await create_topics(admin, settings)
    store = Store(mongodb_uri, settings.mongodb_database)
    try:
        await prepare(store)
        hashed, keys = await Hasher().hash(PASSWORD), {}
        for role in Role:
            await Users(store).add(role.value, role, hashed, "the tests")
            keys[role] = (await Keys(store).make(role.value, NewKey(name="tests"), new_id())).key
    finally:
        store.close()
    return keys


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready").is_success
    except httpx.HTTPError:
        return False
