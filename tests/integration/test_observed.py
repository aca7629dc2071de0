"""Dashboards and alerts over a running aisle: every panel has its data, and causes make their alerts fire."""

import asyncio
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from infra.grafana.panels import DASHBOARDS
from infra.kafka.clients import admin_client
from infra.kafka.topics import create_topics
from infra.local.ports import any_free_port
from infra.local.targets import read_targets
from infra.metrics.catalogue import catalogue
from infra.settings import Settings
from infra.store import Store
from model.champion import read_champion
from schemas.http.account import Role
from schemas.topics import PRODUCTS_IN
from tests.bundles import make_bundle
from tests.integration.conftest import Services
from tests.integration.observed import WITHIN_S, Prometheus, fires, needs_prometheus, prometheus, worker
from tests.integration.road import Raw, Road, good, send, wait
from workers.gateway.accounts.passwords import Hasher
from workers.gateway.accounts.users import Users
from workers.promotion import promote_bundle

pytestmark = [pytest.mark.integration, pytest.mark.contract, pytest.mark.timeout(500), needs_prometheus]

PASSWORD = "a long enough pass phrase"  # noqa: S105 - of an account that ends with the test
NUMBERS = count(10**6)
QUERIES = {
    (dashboard.uid, panel.title, legend): query.replace("$__rate_interval", "10s")
    for dashboard in DASHBOARDS
    for panel in dashboard.panels
    for legend, query in panel.queries.items()
}
CLOSED = "mongodb://127.0.0.1:1"
"""An address where no store answers."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Prometheus, which asks nobody yet."""
    with prometheus(tmp_path_factory.mktemp("prometheus")) as server:
        yield server


@pytest.fixture(scope="module")
def callers(road: Road) -> Iterator[httpx.Client]:
    """Somebody who may have products classified."""
    asyncio.run(_account(road))
    with httpx.Client(base_url=road.gateway, timeout=60) as client:
        wait(lambda: client.get("/health/ready").is_success, 60)
        signed_in = client.post("/api/v1/auth/sign-in", json={"name": "observed", "password": PASSWORD}).json()
        client.headers["Authorization"] = f"Bearer {signed_in['access_token']}"
        yield client


@pytest.fixture
def findings(road: Road) -> Iterator[None]:
    """What an earlier monitor found, all of it wrong; the one that is started now reads it."""
    now = datetime.now(UTC)
    fields: dict[str, dict[str, Any]] = {
        "drift": {"share": 0.5, "columns": [{"name": "language", "psi": 0.4}]},
        "accuracy": {"accuracy": 0.5, "weighted_f1": 0.4, "verdicts": 90},
        "canary": {"sent": 5, "answered": 5, "right": 4},
    }
    version = read_champion(road.settings.data_dir / "models")
    assert version is not None
    with MongoClient[dict[str, Any]](road.mongodb) as client:
        checks = client[road.settings.mongodb_database]["monitor"]
        for kind, more in fields.items():
            checks.insert_one(
                {"_id": f"{kind}-observed", "kind": kind, "at": now, "model_version": version.model.version}
                | {"alert": True, "causes": {"test": "A test says so."}, "told": ["test"], **more}
            )
        (pid,) = road.pids("worker", "monitor")
        os.kill(pid, signal.SIGTERM)  # it leaves its lease to the next one
        wait(lambda: pid not in road.pids("worker", "monitor") and road.pids("worker", "monitor"), 60)
        yield
        checks.delete_many({"_id": {"$in": [f"{kind}-observed" for kind in fields]}})


def test_every_panel_has_its_data_and_each_process_only_its_own_figures(
    road: Road,
    server: Prometheus,
    callers: httpx.Client,
    findings: None,  # noqa: ARG001 - it is there
) -> None:
    """Products, dead letters and calls go through; then each query of each dashboard is answered with a number.

    What a monitor found before is an alert from the moment at which another takes over.
    """
    server.asks(read_targets(road.settings.data_dir))
    left = dict(QUERIES)
    expected = {"AisleDrift", "AisleAccuracyLow", "AisleCanariesWrong"}

    def answered() -> bool:
        asyncio.run(send(road.kafka, PRODUCTS_IN, [Raw(b"no product"), *(good(next(NUMBERS)) for _ in range(20))]))
        assert callers.post("/api/v1/predictions", json={"title": f"Soupe {next(NUMBERS)}"}).is_success
        server.asks(read_targets(road.settings.data_dir))  # the monitor was started again
        for name in [name for name, query in left.items() if server.query(query)]:
            del left[name]
        return not left and expected <= server.firing()

    try:
        wait(answered, WITHIN_S)
    except AssertionError:
        assert {} == left
        assert expected <= server.firing()
    for metric in catalogue():
        found = {labels["worker"] for labels, _ in server.query(f'{{__name__=~"{metric.name}(_count)?"}}')}
        assert metric.processes == ("all",) or found <= set(metric.processes), metric.name


def test_what_goes_wrong_on_the_road_is_told(road: Road, server: Prometheus, callers: httpx.Client) -> None:
    """Bad products, a broken champion, processes that stand still: of each there is an alert."""
    server.asks(read_targets(road.settings.data_dir))
    causes = {"AisleDeadLetters", "AisleSwapFailed", "AisleProcessDown", "AisleLagGrowing"}
    causes |= {"AisleArchiveBehind", "AislePredictSlow"}
    wait(lambda: not causes & server.firing() and server.query("up"), WITHIN_S)

    fires(server, "AisleDeadLetters", lambda: _send(road, [Raw(b"no product") for _ in range(60)]))
    with _broken_champion(road):
        fires(server, "AisleSwapFailed")
    with _stopped(road, "classify", "archive"), ThreadPoolExecutor(1) as threads:
        fires(server, "AisleProcessDown")
        call = threads.submit(callers.post, "/api/v1/predictions", json={"title": "Soupe"})
        _send(road, [good(next(NUMBERS)) for _ in range(5_500)])
        fires(server, "AisleLagGrowing")
        fires(server, "AisleArchiveBehind")
        assert 202 == call.result().status_code
        fires(server, "AislePredictSlow")
    with _stopped(road, "monitor"):
        fires(server, "AisleLagUnknown")
    server.asks([one for one in read_targets(road.settings.data_dir) if one.name != "gateway"])
    fires(server, "AisleWorkerMissing")


def test_what_a_new_place_lacks_is_told(services: Services, server: Prometheus, tmp_path: Path) -> None:
    """A worker without a model, an archive and a gateway without their store: each says so by an alert."""
    settings = Settings(
        data_dir=tmp_path,
        kafka_bootstrap=services.kafka_bootstrap,
        mongodb_uri=CLOSED,
        gateway_port=any_free_port(),
    )
    asyncio.run(_topics(settings))
    with ExitStack() as stack:
        kinds = ("classify", "archive", "gateway")
        workers = [stack.enter_context(worker(kind, settings, tmp_path / f"{kind}.log")) for kind in kinds]
        server.asks([one.target for one in workers])
        gateway = f"http://127.0.0.1:{settings.gateway_port}"

        for alert in ("AisleNoChampion", "AisleWorkerNotReady", "AisleStoreAway"):
            fires(server, alert)
        fires(server, "AisleGatewayErrors", lambda: _sign_in(gateway))  # nobody can without a store


def _send(road: Road, records: Sequence[Raw]) -> None:
    asyncio.run(send(road.kafka, PRODUCTS_IN, records))


def _sign_in(gateway: str) -> None:
    try:
        httpx.post(f"{gateway}/api/v1/auth/sign-in", json={"name": "ada", "password": PASSWORD}, timeout=20)
    except httpx.HTTPError:
        return  # it does not serve yet


async def _topics(settings: Settings) -> None:
    async with admin_client(settings.kafka_bootstrap or "") as admin:
        await create_topics(admin, settings)


async def _account(road: Road) -> None:
    store = Store(road.mongodb, road.settings.mongodb_database)
    try:
        if await Users(store).find("observed") is None:
            await Users(store).add("observed", Role.CUSTOMER, await Hasher().hash(PASSWORD), "the tests")
    finally:
        store.close()


@contextmanager
def _stopped(road: Road, *kinds: str) -> Iterator[None]:
    """Workers that stand still meanwhile."""
    pids = [pid for kind in kinds for pid in road.pids("worker", kind)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def _broken_champion(road: Road) -> Iterator[None]:
    """A champion that no worker can serve, as it has no stage; then the one before it again."""
    models = road.settings.data_dir / "models"
    before = read_champion(models)
    assert before is not None
    promote_bundle(road.settings, make_bundle(models, f"broken-{next(NUMBERS)}"), by="a test", why="it is broken")
    try:
        yield
    finally:
        promote_bundle(road.settings, models / before.model.version, by="a test", why="it is not")
