"""The local broker and store: they come up, keep their data, and keep out of each other's way."""

import socket
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import MongoClient

from infra.endpoints import find_endpoints
from infra.local.ports import choose_ports
from infra.local.services import LocalServices
from infra.local.state import read_state

if TYPE_CHECKING:
    from tests.integration.conftest import Services

pytestmark = pytest.mark.integration


async def make_topic(bootstrap: str) -> str:
    """A fresh topic of one partition."""
    topic = f"t-{uuid.uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    finally:
        await admin.close()
    return topic


async def publish(bootstrap: str, topic: str, value: bytes) -> None:
    """Send one record and wait until the broker has it."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_request_size=3 << 20) as producer:
        await producer.send_and_wait(topic, value)


async def first_value(bootstrap: str, topic: str) -> bytes | None:
    """The topic's first record."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
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


def test_the_store_starts_again_after_a_kill(services: "Services") -> None:
    """A store that was killed serves again: at most its last second is lost, never the file."""
    services.local.kill_one("docstore")
    services.local.start_one("docstore")
    with MongoClient[dict[str, object]](services.mongodb_uri) as client:
        assert client.t.again.insert_one({"_id": 1}).inserted_id == 1
