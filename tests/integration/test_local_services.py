"""The local broker and store: they come up, keep their data, and keep out of each other's way."""

import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import MongoClient, UpdateOne
from pymongo.errors import ConnectionFailure

from infra.endpoints import find_endpoints
from infra.kafka.security import client_security
from infra.local.ports import choose_ports
from infra.local.services import LocalServices
from infra.local.state import read_state
from tests.ports import settle_ports

if TYPE_CHECKING:
    from tests.integration.conftest import Services

pytestmark = pytest.mark.integration

KILLS = 3
WRITERS = 4
UPSERTS = 51_000
IDS = 8_000
BULK = 100


async def make_topic(bootstrap: str) -> str:
    """A fresh topic of one partition."""
    topic = f"t-{uuid.uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **client_security().arguments())
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    finally:
        await admin.close()
    return topic


async def publish(bootstrap: str, topic: str, value: bytes) -> None:
    """Send one record and wait until the broker has it."""
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", max_request_size=3 << 20, **client_security().arguments()
    ) as producer:
        await producer.send_and_wait(topic, value)


async def first_value(bootstrap: str, topic: str) -> bytes | None:
    """The topic's first record."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", **client_security().arguments()
    )
    async with consumer:
        value: bytes | None = (await consumer.getone()).value
    return value


async def test_records_survive_a_kill_of_the_broker(services: "Services") -> None:
    """What the broker acknowledged is there after kill -9 and a restart, at the same address."""
    before = services.kafka_bootstrap
    topic = await make_topic(before)
    await publish(before, topic, b"kept")
    services.restart_broker()
    assert before == services.kafka_bootstrap
    assert await first_value(before, topic) == b"kept"


async def test_a_record_of_two_mebibytes_passes(services: "Services") -> None:
    """The largest record that the contracts allow fits through the broker."""
    topic = await make_topic(services.kafka_bootstrap)
    value = b"x" * (2 << 20)
    await publish(services.kafka_bootstrap, topic, value)
    assert await first_value(services.kafka_bootstrap, topic) == value


def test_the_store_serves_a_current_driver(services: "Services") -> None:
    """The embedded store takes writes from the driver that is installed, and tells them back."""
    with MongoClient[dict[str, object]](services.mongodb_uri) as client:
        client.t.things.update_one({"_id": 1}, {"$min": {"part": {"at": 5}}}, upsert=True)
        assert client.t.things.find_one({}) == {"_id": 1, "part": {"at": 5}}


def test_starting_again_changes_nothing(services: "Services") -> None:
    """A second start of running services leaves them as they are and gives the same addresses."""
    before = services.local.status()
    endpoints = LocalServices(services.settings).start()
    assert before == services.local.status()
    assert endpoints == find_endpoints(services.settings)


async def test_another_data_directory_beside_it(services: "Services", tmp_path: Path) -> None:
    """Two data directories run side by side; a restart on other ports keeps the data; a clean stop leaves no state."""
    settle_ports(tmp_path)
    settings = services.settings.model_copy(update={"data_dir": tmp_path})
    with LocalServices(settings) as local:
        state = local.status()["kafka"]
        others = services.local.status()["kafka"].ports
        assert not set(state.ports.values()) & set(others.values())
        topic = await make_topic(state.address)
        await publish(state.address, topic, b"mine")
        local.stop_one("kafka")
        with socket.create_server(("127.0.0.1", state.ports["broker"])) as squatter:
            with socket.create_server(("127.0.0.1", state.ports["controller"])):
                moved = local.start_one("kafka")
            assert squatter.getsockname()[1] not in moved.ports.values()
        assert await first_value(moved.address, topic) == b"mine"
    assert not (tmp_path / "run").exists()


def test_a_port_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    """A usual port that somebody listens on is passed over, and the choice is kept for the next start."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        chosen = choose_ports(tmp_path, {"broker": port})["broker"]
        assert chosen != port
        assert chosen == choose_ports(tmp_path, {"broker": port})["broker"]


def test_the_state_of_an_ended_service_is_not_believed(services: "Services") -> None:
    """A state file whose process is gone, or whose process id has a new owner, counts for nothing."""
    services.kill_broker()
    try:
        assert read_state(services.data_dir, "kafka") is None
    finally:
        services.start_broker()


def test_the_store_keeps_its_data_over_a_stop(services: "Services") -> None:
    """What was written before a clean stop of the store is there after its next start."""
    with MongoClient[dict[str, object]](services.mongodb_uri) as client:
        client.t.kept.insert_one({"_id": 7})
    services.local.stop_one("docstore")
    services.local.start_one("docstore")
    with MongoClient[dict[str, object]](services.mongodb_uri) as client:
        assert {"_id": 7} == client.t.kept.find_one({})


async def test_services_can_be_started_inside_an_event_loop(services: "Services") -> None:
    """A test or a notebook that runs an event loop may restart the broker in it."""
    assert services.restart_broker().address == services.kafka_bootstrap


def test_kills_under_load_cost_the_store_at_most_its_last_writes(services: "Services", tmp_path: Path) -> None:
    """SIGKILL amid bulks: what was acknowledged well before is there, once, and can be written again."""
    acknowledged: dict[str, float] = {}
    due: set[str] = set()
    written = 0
    with own_store(services, tmp_path) as store:
        for _ in range(KILLS):
            killed, counts = threading.Event(), list[int]()
            with ThreadPoolExecutor(WRITERS) as pool:
                loads = [pool.submit(write_until, address(store), killed, acknowledged, counts) for _ in range(WRITERS)]
                while sum(counts) < UPSERTS // KILLS and not any(load.done() for load in loads):
                    time.sleep(0.05)
                last = time.monotonic()
                store.kill_one("docstore")
                killed.set()
            assert all(load.result() is None for load in loads)
            written += sum(counts)
            due |= {key for key, at in acknowledged.items() if at < last - 2.0}
            store.start_one("docstore")
            with MongoClient[dict[str, object]](address(store)) as client:
                found = [item["_id"] for item in client.load.items.find({}, {"_id": 1})]
                assert len(found) == len(set(found)) == client.load.items.count_documents({})
                assert due <= set(found)
                # What the kill took is not owed any more, unless it is acknowledged again.
                acknowledged = {key: at for key, at in acknowledged.items() if key in due}
        assert written >= UPSERTS
        assert due
        with MongoClient[dict[str, object]](address(store)) as client:
            for start in range(0, IDS, 1_000):
                client.load.items.bulk_write([upsert(number) for number in range(start, start + 1_000)], ordered=False)
            assert client.load.items.count_documents({}) == IDS


def test_a_ruined_store_is_set_aside(services: "Services", tmp_path: Path) -> None:
    """A file that cannot be read does not stop the store: it is kept under another name, and the log says so."""
    with own_store(services, tmp_path) as store:
        store.kill_one("docstore")
        folder = tmp_path / "docstore"
        (folder / "store.mv").write_bytes(b"no store" * 10_000)
        store.start_one("docstore")
        with MongoClient[dict[str, object]](address(store)) as client:
            assert client.t.fresh.insert_one({"_id": 1}).inserted_id == 1
        (aside,) = folder.glob("store.mv.broken-*")
        assert aside.read_bytes().startswith(b"no store")
        log = (tmp_path / "logs" / "docstore.log").read_text()
        assert aside.name in log
        assert "--group aisle-archive" in log


def own_store(services: "Services", data_dir: Path) -> LocalServices:
    """A store without a broker, in a data directory of its own."""
    update = {"data_dir": data_dir, "kafka_bootstrap": services.kafka_bootstrap}
    return LocalServices(services.settings.model_copy(update=update))


def address(store: LocalServices) -> str:
    """Its URI."""
    return store.status()["docstore"].address


def upsert(number: int) -> UpdateOne:
    """A write such as the archive's, to a document of its own number."""
    parts = {
        "$min": {"product": {"at": number, "text": "x" * 200}},
        "$max": {"prediction": {"at": number}},
        "$set": {"seen": time.time()},
    }
    return UpdateOne({"_id": key_of(number)}, parts, upsert=True)


def key_of(number: int) -> str:
    """An id, spread as a hash is."""
    return f"{number * 7_919 % 1_000_003:08x}"


def write_until(uri: str, killed: threading.Event, acknowledged: dict[str, float], counts: list[int]) -> None:
    """Write bulks until the store is killed, and note when each document was first acknowledged.

    Raises:
        PyMongoError: The store refused something while it was alive.
    """
    random = Random()
    # Patient with a store that has just come up on a busy machine; one that is killed breaks the connection at once.
    with MongoClient[dict[str, object]](uri, serverSelectionTimeoutMS=10_000, retryWrites=False) as client:
        while not killed.is_set():
            numbers = sorted(random.sample(range(IDS), BULK))
            try:
                client.load.items.bulk_write([upsert(number) for number in numbers], ordered=False)
            except ConnectionFailure:
                return
            now = time.monotonic()
            for number in numbers:
                acknowledged.setdefault(key_of(number), now)
            counts.append(BULK)
