"""A gateway and an archive in processes of their own, with accounts and hostile items, over a broker and a store."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx

from infra.endpoints import find_mongodb
from infra.kafka.clients import admin_client
from infra.kafka.topics import create_topics
from infra.local.ports import any_free_port
from infra.local.services import LocalServices
from infra.process import Launch, end, module, settings_variables, spawn
from infra.settings import Settings
from infra.store import ITEMS, JOBS, RUNS, Store
from infra.store_schema import prepare
from schemas.http.account import NewKey, Role
from tests.hostile import seeds
from tests.hostile.answering import answering
from tests.hostile.request import Site
from tests.integration.road import wait
from tests.ports import settle_ports
from workers.gateway.accounts.keys import Keys, new_id
from workers.gateway.accounts.passwords import Hasher
from workers.gateway.accounts.users import Users

_RUN: Final = uuid4().hex[:8]  # others may use the broker at the same time
NAMES: Final[Mapping[Role, str]] = {role: f"hostile-{role}-{_RUN}" for role in Role}
GONE: Final = "hostile-gone"
BODY_S: Final = 3.0
_PASSWORD: Final = "of this stage alone"  # noqa: S105 - its accounts end with it


@dataclass(frozen=True)
class Stage:
    """What is up.

    Args:
        settings: What it runs with.
        url: Of the gateway.
        pid: Of its process.
        site: What an attacker knows.
        log: Where the gateway's lines go.
    """

    settings: Settings
    url: str
    pid: int
    site: Site
    log: Path

    def store(self) -> Store:
        """The store, for whoever looks at what was stored."""
        return Store(find_mongodb(self.settings), self.settings.mongodb_database)


def services(stack: ExitStack, folder: Path, kafka: str | None, mongodb: str | None) -> tuple[str, str]:
    """A broker and a store: those that are named, else some that end with the stack."""
    if kafka and mongodb:
        return kafka, mongodb
    data_dir = folder / "services"
    settle_ports(data_dir)
    settings = Settings(_env_file=None, data_dir=data_dir, kafka_bootstrap=None, mongodb_uri=None)
    status = stack.enter_context(LocalServices(settings)).status()
    return status["kafka"].address, status["docstore"].address


@contextmanager
def staged(kafka: str, mongodb: str, folder: Path) -> Iterator[Stage]:
    """Everything up, and down again.

    Args:
        kafka: ``host:port`` of a broker.
        mongodb: URI of a store; the database is one of its own.
        folder: Takes the data directory, its neighbours and the logs.
    """
    settings = _settings(kafka, mongodb, folder)
    seeds.write_files(settings.data_dir, folder)
    asyncio.run(_prepare(settings))
    variables = settings_variables(settings) | {"AISLE_LOG_FORMAT": "json"}
    with ExitStack() as stack:
        pids = {}
        for name in ("archive", "gateway"):
            log = folder / f"{name}.log"
            running = spawn(Launch(module("scripts", "worker", name), variables, log), deadline_s=30)
            stack.callback(end, running, within_s=20)
            pids[name] = running.process.pid
        url = f"http://127.0.0.1:{settings.gateway_port}"
        stack.enter_context(answering(kafka))
        wait(lambda: _is_ready(url), 90)
        wait(lambda: '"event": "ready"' in (folder / "archive.log").read_text(), 90)
        site = asyncio.run(_site(settings, url))
        yield Stage(settings, url, pids["gateway"], site, folder / "gateway.log")


def _settings(kafka: str, mongodb: str, folder: Path) -> Settings:
    return Settings(
        _env_file=None,
        data_dir=folder / "data",
        kafka_bootstrap=kafka,
        mongodb_uri=mongodb,
        mongodb_database=f"hostile-{uuid4().hex}",
        gateway_port=any_free_port(),
        gateway_answer_s=1.0,
        gateway_body_s=BODY_S,
        gateway_access_minutes=60,
        gateway_predictions_per_minute=0,
        taxonomy=folder / "taxonomy.csv",
        image_roots=str(folder / "photos"),
    )


async def _prepare(settings: Settings) -> None:
    async with admin_client(settings.kafka_bootstrap or "") as admin:
        await create_topics(admin, settings)
    store = Store(find_mongodb(settings), settings.mongodb_database)
    try:
        await prepare(store)
        hashed = await Hasher().hash(_PASSWORD)
        for role, name in NAMES.items():
            await Users(store).add(name, role, hashed, "the stage")
        with store.named_errors():
            await store.collection(ITEMS).insert_many(seeds.items(NAMES[Role.CUSTOMER]))
            await store.collection(RUNS).insert_one(seeds.run())
            await store.collection(JOBS).insert_one(seeds.job(NAMES[Role.ADMIN]))
    finally:
        store.close()


async def _site(settings: Settings, url: str) -> Site:
    store = Store(find_mongodb(settings), settings.mongodb_database)
    try:
        keys = {
            role: (await Keys(store).make(name, NewKey(name="stage"), new_id())).key for role, name in NAMES.items()
        }
        dead = await Keys(store).make(GONE, NewKey(name="of nobody"), new_id())
    finally:
        store.close()
    tokens, cookies = {}, {}
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        for role, name in NAMES.items():
            answer = await client.post("/api/v1/auth/sign-in", json={"name": name, "password": _PASSWORD})
            tokens[role] = answer.raise_for_status().json()["access_token"]
            cookies[role] = answer.cookies["aisle_session"]
            client.cookies.clear()
    secret = (settings.data_dir / "secrets" / "gateway.key").read_bytes().strip()
    return Site(
        port=settings.gateway_port,
        tokens=tokens,
        keys=keys,
        cookies=cookies,
        secret=secret,
        dead_key=dead.key,
        own=seeds.OWN,
        theirs=seeds.THEIRS,
        letters=seeds.LETTERS,
    )


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready").is_success
    except httpx.HTTPError:
        return False


def sign_in(stage: Stage, role: Role, agent: str) -> Any:
    """The cookies of a new session, of a browser that says this of itself."""
    body = {"name": NAMES[role], "password": _PASSWORD}
    answer = httpx.post(f"{stage.url}/api/v1/auth/sign-in", json=body, headers={"User-Agent": agent}, timeout=30)
    return answer.raise_for_status()
