"""Whether the broker and the store answer and have what aisle needs."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from infra.doctor import Finding
from infra.endpoints import find_kafka, find_mongodb
from infra.errors import BrokerRefused, BrokerUnavailable, StoreTooNew, StoreUnavailable, TopicMissing
from infra.migrations import RESTORING, SCHEMA, VERSION, check_known
from infra.settings import Settings
from infra.settings_table import hide_credentials
from infra.store import MIGRATIONS
from infra.store_address import tls_hint

_WAIT_S: Final = 8.0
_REFUSALS: Final = frozenset({13, 18})  # Unauthorized, AuthenticationFailed


def check_broker(settings: Settings) -> Finding:
    """A broker answers, with aisle's topics in step."""
    try:
        bootstrap = find_kafka(settings)
    except BrokerUnavailable as error:
        return Finding("broker", "warn", "no local broker runs", error.hint)
    where = hide_credentials(bootstrap)
    with _quiet("aiokafka"):
        try:
            partitions = asyncio.run(_partitions(bootstrap, settings))
        except TopicMissing as error:
            return Finding("broker", "fail", f"{where} answers. {error.message}", error.hint)
        except BrokerRefused as error:
            return Finding("broker", "fail", error.message, error.hint)
        except (BrokerUnavailable, TimeoutError):
            hint = "Start it, or correct AISLE_KAFKA_BOOTSTRAP; `aisle up` starts a local one."
            return Finding("broker", "fail", f"no answer from {where}", hint)
    return Finding("broker", "ok", f"{where} answers; {len(partitions)} topics are there")


def check_store(settings: Settings) -> Finding:
    """The store answers, and reads: a ping alone would not see a file that is damaged."""
    from pymongo import MongoClient
    from pymongo.errors import OperationFailure, PyMongoError

    try:
        uri = find_mongodb(settings)
    except StoreUnavailable as error:
        return Finding("store", "warn", "no local store runs", error.hint)
    where = hosts(uri)
    try:
        with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=int(_WAIT_S * 1_000)) as client:
            version = client.server_info()["version"]
            database = client[settings.mongodb_database]
            items = database.items.estimated_document_count()
            for name in database.list_collection_names():
                database[name].find_one()
            schema = (database[MIGRATIONS].find_one({"_id": SCHEMA}) or {}).get("version")
            restoring = database[MIGRATIONS].find_one({"_id": RESTORING}) is not None
    except OperationFailure as error:
        if error.code not in _REFUSALS:
            hint = "See the store's log; restart it. `aisle down` and `aisle up` restart a local one."
            return Finding("store", "fail", f"{where} answers but cannot read ({str(error)[:200]})", hint)
        return Finding("store", "fail", f"{where} refuses us ({error.code})", "Check user, password and rights.")
    except PyMongoError as error:
        if (told := tls_hint(error)) is not None:
            return Finding("store", "fail", f"{where} {told[0]}", told[1])
        hint = "Start it, or correct AISLE_MONGODB_URI; `aisle up` starts a local one."
        return Finding("store", "fail", f"no answer from {where} ({type(error).__name__})", hint)
    return _by_schema(schema, restoring, f"{where} answers; version {version}, {items:,} items")


def _by_schema(schema: int | None, restoring: bool, detail: str) -> Finding:
    """Whether the store is whole, and this release knows what is in it; a worker's start brings it up to date."""
    if restoring:
        return Finding("store", "fail", f"{detail}; a restore was cut off", "Give `aisle restore DIR` again.")
    detail += ", no schema yet" if schema is None else f", schema {schema} of {VERSION}"
    try:
        check_known(schema)
    except StoreTooNew as error:
        return Finding("store", "fail", f"{detail}. {error.message}", error.hint)
    return Finding("store", "ok", detail)


def hosts(uri: str) -> str:
    """The hosts of a ``mongodb://`` URI, without user and password."""
    return uri.partition("://")[2].rpartition("@")[2].partition("/")[0].partition("?")[0]


async def _partitions(bootstrap: str, settings: Settings) -> dict[str, int]:
    from infra.kafka.clients import admin_client
    from infra.kafka.security import client_security
    from infra.kafka.topics import ANSWERS, check_in_step, topic_states

    async with asyncio.timeout(_WAIT_S), admin_client(bootstrap, client_security(settings)) as admin:
        states = await topic_states(admin)
    for source in ANSWERS:
        check_in_step(states, source)
    return {state.name: state.partitions for state in states}


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Hold back a library's lines: the finding says it."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
