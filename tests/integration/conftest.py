"""The real broker and the embedded store, once for all integration tests.

``AISLE_TEST_SECURE=broker`` or ``=store``: the same, where servers ask who one is; see ``tests/secured.py``.
"""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from click import Command
from click.testing import CliRunner, Result

from infra.endpoints import find_mongodb
from infra.local.services import LocalServices
from infra.local.state import RunState
from infra.process import settings_variables
from infra.settings import Settings, load_settings
from infra.store import Store
from infra.store_schema import prepare
from tests.integration.road import Road
from tests.ports import settle_ports
from tests.secured import TLS_MAY_BE_CUT, VARIABLE, secured, unfit, with_store


@dataclass(frozen=True)
class Services:
    """A running broker and store; both end with the test process, even if that is killed."""

    settings: Settings
    local: LocalServices

    @property
    def data_dir(self) -> Path:
        """Where they keep their data, logs and state."""
        return self.settings.data_dir

    @property
    def kafka_bootstrap(self) -> str:
        """``host:port`` of the broker."""
        return self.local.status()["kafka"].address

    @property
    def mongodb_uri(self) -> str:
        """URI of the store."""
        return find_mongodb(self.settings)

    def kill_broker(self) -> None:
        """End the broker with SIGKILL."""
        self.local.kill_one("kafka")

    def start_broker(self) -> RunState:
        """Start the broker after a kill, on the same data and port; returns when it answers."""
        return self.local.start_one("kafka")

    def restart_broker(self) -> RunState:
        """Kill the broker and start it again; returns when it answers."""
        self.kill_broker()
        return self.start_broker()


def local_settings(data_dir: Path) -> Settings:
    """Settings of a new data directory with local services, whatever the environment says."""
    settle_ports(data_dir)
    return with_store(Settings(data_dir=data_dir, kafka_bootstrap=None, mongodb_uri=None, gateway_port=0))


def pytest_itemcollected(item: pytest.Item) -> None:
    """What holds where connections are TLS."""
    if VARIABLE in os.environ:
        item.add_marker(TLS_MAY_BE_CUT)
    if (why := unfit(item)) is not None:
        item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session", autouse=True)
def _secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with secured(tmp_path_factory.mktemp("secured")):
        yield


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """A broker and a store of this test session's own."""
    settings = local_settings(tmp_path_factory.mktemp("services"))
    with LocalServices(settings) as local:
        yield Services(settings, local)


@pytest.fixture(scope="session")
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    """The state the README leaves one in: the demo was run, and aisle is up again, with two workers."""
    folder = tmp_path_factory.mktemp("road")
    settings = local_settings(folder / "var")
    demo = Road(settings, folder / "unused.log").aisle("demo", "--once", "--rate", "1000")
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "the sums agree" in demo.stdout
    road = Road(settings, folder / "up.log", "--workers", "2")
    road.start()
    yield road
    assert road.stop() == 0, road.log.read_text()[-2_000:]


@pytest.fixture
async def store(services: Services) -> AsyncIterator[Store]:
    """A database of this test's own."""
    store = Store(services.mongodb_uri, f"test-{uuid4().hex}")
    await prepare(store)
    yield store
    store.close()


@pytest.fixture
def on_the_road(road: Road, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """Runs a command in this process, against the road."""
    for name, value in settings_variables(road.settings).items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()

    def run(command: Command, *arguments: str) -> Result:
        return CliRunner().invoke(command, list(arguments))

    yield run
    load_settings.cache_clear()
