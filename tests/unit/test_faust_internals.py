"""The internals of Faust and aiokafka that the batch transport replaces or leans on are what they were.

After an upgrade a failure here names what changed. Read the new source, adapt the override that is named, run
the transport and chaos tests, then renew the fingerprint: ``python -m tests.unit.test_faust_internals`` prints all.
"""

import inspect
from hashlib import sha256
from importlib import import_module
from importlib.metadata import version
from typing import Any

import pytest

INTERNALS = {
    # infra/kafka/consumer.py
    "faust.transport.consumer:Consumer._drain_messages": "44a2500309e8",
    "faust.transport.consumer:Consumer.ack": "5fcf41cf4515",
    "faust.transport.consumer:Consumer.perform_seek": "0e8c130ff4b0",
    "faust.transport.consumer:Consumer.on_partitions_revoked": "d04b7ae72c6f",
    "faust.transport.consumer:Consumer.stop_flow": "cf7e875a2b0d",
    "faust.transport.consumer:Consumer.wait_empty": "e4662fe24f09",
    "faust.transport.consumer:Consumer.commit": "a354437baaa0",
    "faust.transport.consumer:Consumer.maybe_wait_for_commit_to_finish": "d687f63a0b5e",
    "faust.transport.consumer:Consumer.force_commit": "cc094614d22c",
    "faust.transport.consumer:Consumer._commit_tps": "a20e230b05ae",
    "faust.transport.consumer:Consumer._commit_offsets": "1a6979904118",
    "faust.transport.consumer:Consumer._filter_committable_offsets": "dc5e9baf5d99",
    "faust.transport.consumer:Consumer._filter_tps_with_pending_acks": "f6f923977423",
    "faust.transport.consumer:Consumer._new_offset": "1d2c7ea89a7a",
    "faust.transport.consumer:Consumer._should_commit": "5ce941793947",
    "faust.transport.consumer:ThreadDelegateConsumer._commit": "a20eec84e4b2",
    "faust.transport.drivers.aiokafka:Consumer.verify_event_path": "a17e8f0610e1",
    # infra/kafka/intake.py
    "faust.transport.consumer:Consumer._get_active_partitions": "b24897f3c7af",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread._fetch_records": "39a2c6c79fc1",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread._commit": "932852ce7a23",
    "mode.threads:QueueServiceThread.call_thread": "479edda75b54",
    # infra/kafka/conductor.py
    "faust.transport.conductor:Conductor._build_handler": "5c071d127798",
    # infra/kafka/app.py
    "faust.app.base:App._new_transport": "42db531312dd",
    "faust.app.base:App._new_producer_transport": "eb3b4aa6a896",
    "mode.services:Service._crash": "7bc0c709a151",
    "faust.app.base:App._stop_consumer": "55854a5de12c",
    # infra/kafka/producer.py
    "faust.transport.drivers.aiokafka:Producer._settings_extra": "a4c7bc41b638",
    "faust.transport.drivers.aiokafka:Producer._ensure_producer": "5592a4bbdf25",
    # infra/kafka/fetch.py, positions.py, tries.py
    "aiokafka.consumer.fetcher:Fetcher.fetched_records": "be4348896b9b",
    "aiokafka.consumer.fetcher:PartitionRecords": "94aa0da0dbec",
    "aiokafka.consumer.subscription_state:TopicPartitionState": "2b83334afadf",
    "aiokafka.consumer.group_coordinator:GroupCoordinator.fetch_committed_offsets": "6c049c737916",
}
VERSIONS = {"faust-streaming": "0.15.3", "aiokafka": "0.14.0"}


def fingerprint(name: str) -> str:
    """The first digits of the hash of an object's source."""
    module, _, path = name.partition(":")
    found: Any = import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return sha256(inspect.getsource(found).encode()).hexdigest()[:12]


@pytest.mark.parametrize("name", INTERNALS)
def test_an_internal_is_what_the_transport_was_written_for(name: str) -> None:
    """Its source has the fingerprint that was noted when the override was written."""
    assert INTERNALS[name] == fingerprint(name), f"{name} has changed: read it, adapt what leans on it, then renew this"


@pytest.mark.parametrize("package", VERSIONS)
def test_a_package_has_the_version_that_was_tested(package: str) -> None:
    """A new version has new internals also where no fingerprint looks: run the chaos tests before renewing this."""
    assert VERSIONS[package] == version(package)


if __name__ == "__main__":
    for internal in INTERNALS:
        print(f'    "{internal}": "{fingerprint(internal)}",')
