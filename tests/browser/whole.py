"""A whole aisle for the browser: `aisle up` with a small model and products with photos; and what goes wrong there."""

import asyncio
import base64
import json
import re
import subprocess
from collections.abc import Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import ConsoleMessage, Page, Request, Response

from infra.local.ports import any_free_port
from infra.local.state import ServiceName, read_state
from infra.process import module
from infra.settings import Settings
from infra.store import CLAIMS, Store
from model.bundle import MANIFEST
from model.synthetic.catalogue import Catalogue
from schemas.http.account import Role
from schemas.topics import PRODUCTS_IN
from tests.integration.road import Raw, Road, environment, send, wait
from tests.ports import settle_ports
from workers.gateway.accounts.passwords import Hasher
from workers.gateway.accounts.users import Users

ADMIN, PASSWORD = "ada", "nine tall lamps, all lit"
ROWS = 300


@dataclass(frozen=True)
class Whole:
    """What runs, and what a person is told of it.

    Args:
        road: Its processes.
        link: Where the first admin makes an account, as `aisle up` printed it.
        former: A version that is not in service.
        champion: The version that is.
    """

    road: Road
    link: str
    former: str
    champion: str

    @property
    def url(self) -> str:
        """Where its pages are."""
        return self.road.gateway

    def publish(self, products: Iterable[dict[str, Any]]) -> list[str]:
        """Send products as a producer does, and return once they are in the store, predicted; their events."""
        records = [Raw(json.dumps(one).encode(), key=one["product_id"].encode()) for one in products]
        _run(send(self.road.kafka, PRODUCTS_IN, records))
        events = [record.event_id for record in records]
        wait(lambda: sum("prediction" in item for item in self.road.items(events).values()) == len(events), 60)
        return events

    def add_reviewer(self, name: str) -> None:
        """An account with the password of them all."""
        _run(self._add_reviewer(name))

    async def _add_reviewer(self, name: str) -> None:
        store = Store(self.road.mongodb, self.road.settings.mongodb_database)
        try:
            await Users(store).add(name, Role.REVIEWER, await Hasher().hash(PASSWORD), ADMIN)
        finally:
            store.close()

    def forget_claims(self) -> None:
        """Nobody has any item before them: what tests before have claimed is free."""
        _run(self._forget_claims())

    async def _forget_claims(self) -> None:
        store = Store(self.road.mongodb, self.road.settings.mongodb_database)
        try:
            await store.collection(CLAIMS).delete_many({})
        finally:
            store.close()

    def pid(self, service: ServiceName) -> int:
        """The process of `kafka` or `docstore`."""
        state = read_state(self.road.settings.data_dir, service)
        assert state is not None
        return state.pid


@contextmanager
def whole(folder: Path) -> Iterator[Whole]:
    """It, with a model that learned from few rows; the services start while that is trained."""
    settings = Settings(
        _env_file=None,
        data_dir=folder / "data",
        kafka_bootstrap=None,
        mongodb_uri=None,
        gateway_port=any_free_port(),
    )
    settle_ports(settings.data_dir)
    road = Road(settings, folder / "up.log", "--no-learning")
    made = road.aisle("data", "make", str(folder / "shop.csv"), "--rows", str(ROWS))
    assert made.returncode == 0, made.stderr
    with (folder / "train.log").open("w") as log:
        command = module("scripts", "train", str(folder / "shop.csv"), "--no-photos")
        training = subprocess.Popen(command, env=environment(settings), stdout=log, stderr=log)
    try:
        road.start(400)
        assert training.wait(60) == 0, (folder / "train.log").read_text()
        (champion,) = (settings.data_dir / "models").glob("2*")
        wait(lambda: _is_ready(road.gateway), 60)
        link = re.search(r'"link": "([^"]+)"', road.log.read_text())
        assert link is not None
        yield Whole(road, link[1], _another(champion), champion.name)
    finally:
        training.kill()
        training.wait()
        road.stop()


def twins(count: int, name: str) -> Iterator[dict[str, Any]]:
    """Products of words that no model knows, all but one in common: they are among the first to be reviewed."""
    for number in range(count):
        yield {"product_id": f"{name}-{number}", "title": f"{name}xyzzy {name}plugh {name}quux n{number}"}


def products(count: int, prefix: str, seed: int = 7) -> Iterator[dict[str, Any]]:
    """Made-up products, each with a title of its own and a photo."""
    for number, row in enumerate(Catalogue(seed=seed, photos=True).rows(count)):
        photo = base64.b64encode(row.photo or b"").decode()
        yield {
            "product_id": f"{prefix}-{number}",
            "title": f"{row.title} · {prefix} {number}",
            "description": row.description,
            "image": {"base64": photo},
        }


def _another(champion: Path) -> str:
    """The same model under another version; its files are linked."""
    version = f"{champion.name[:-6]}000000"
    target = champion.with_name(version)
    for path in champion.rglob("*"):
        if path.is_file() and path.name != MANIFEST:
            place = target / path.relative_to(champion)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.hardlink_to(path)
    manifest = (champion / MANIFEST).read_text(encoding="utf-8")
    (target / MANIFEST).write_text(manifest.replace(champion.name, version), encoding="utf-8")
    return version


def _run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run it in a thread of its own, as Playwright has a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, coroutine).result()


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready").is_success
    except httpx.HTTPError:
        return False


@dataclass
class Witness:
    """Notes what goes wrong on pages: errors on the console, in scripts, and calls that failed.

    Args:
        expected: Parts of addresses whose failure a test asks for.
    """

    expected: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> Page:
        """Look at a page from now on."""
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("console", self._said)
        page.on("response", self._answered)
        page.on("requestfailed", self._failed)
        return page

    def _said(self, message: ConsoleMessage) -> None:
        # What the browser says itself of a failed call is told below, by the call.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.complaints.append(f"console: {message.text}")

    def _answered(self, response: Response) -> None:
        if response.status >= httpx.codes.BAD_REQUEST:
            self._complain(response.url, str(response.status))

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page's own doing: it was left, or asks anew
            self._complain(request.url, request.failure or "failed")

    def _complain(self, url: str, why: str) -> None:
        if not any(part in url for part in self.expected):
            self.complaints.append(f"{why}: {url}")
