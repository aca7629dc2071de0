"""Where Kafka and MongoDB answer: what the settings name, else the local services of this data directory."""

from dataclasses import dataclass

from infra.errors import BrokerUnavailable, StoreUnavailable
from infra.local.state import read_state
from infra.settings import Settings
from infra.store_address import named_store


@dataclass(frozen=True)
class Endpoints:
    """Addresses in use: ``host:port`` list of the brokers, ``mongodb://`` URI of the store."""

    kafka_bootstrap: str
    mongodb_uri: str


def find_endpoints(settings: Settings) -> Endpoints:
    """Both addresses.

    Raises:
        BrokerUnavailable: As ``find_kafka``.
        StoreUnavailable: As ``find_mongodb``.
    """
    return Endpoints(kafka_bootstrap=find_kafka(settings), mongodb_uri=find_mongodb(settings))


def find_kafka(settings: Settings) -> str:
    """The bootstrap servers: the settings', else the running local broker's.

    Raises:
        BrokerUnavailable: Neither is there. Whether a broker answers is not asked here.
    """
    if settings.kafka_bootstrap:
        return settings.kafka_bootstrap
    if (state := read_state(settings.data_dir, "kafka")) is not None:
        return state.address
    raise BrokerUnavailable(
        f"No Kafka is configured and none runs in {settings.data_dir}.",
        hint="Start one with `aisle up`, or set AISLE_KAFKA_BOOTSTRAP to yours.",
    )


def find_mongodb(settings: Settings) -> str:
    """The store's URI: the settings', else the running local store's.

    Raises:
        StoreUnavailable: Neither is there. Whether a store answers is not asked here.
        SettingsInvalid: As ``named_store``.
    """
    if (named := named_store(settings)) is not None:
        return named
    if (state := read_state(settings.data_dir, "docstore")) is not None:
        return state.address
    raise StoreUnavailable(
        f"No MongoDB is configured and none runs in {settings.data_dir}.",
        hint="Start one with `aisle up`, or set AISLE_MONGODB_URI to yours.",
    )
