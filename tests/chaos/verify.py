"""Counts what became of every event, with plain clients and none of aisle's code.

Every event that was published must be in predictions.out or in products.dlq, and be one document in
MongoDB; no committed offset may be past an event without an answer. Events are told by the header
``aisle-event-id`` that their producer gave them.

    python -m tests.chaos.verify --kafka HOST:PORT --mongodb mongodb://HOST:PORT
"""

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from itertools import zip_longest
from string import hexdigits
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from pymongo import MongoClient

from infra.kafka.security import client_security
from tests.chaos.audit import Audit, Verdict, short

EVENT_ID: Final = "aisle-event-id"
SOURCE: Final = "products.in"
PREDICTIONS: Final = "predictions.out"
DEAD_LETTERS: Final = "products.dlq"
GROUP: Final = "aisle-classify"
ARCHIVE_GROUP: Final = "aisle-archive"

_ANSWERED: Final = {"$or": [{"prediction": {"$exists": True}}, {"dead_letter": {"$exists": True}}]}
_REQUEST_MS: Final = 10_000
_AT_ONCE: Final = 200_000
"""Documents of one answer."""
_AWAY: Final = (KafkaError, OSError, TimeoutError)


async def read(bootstrap: str, topic: str) -> list[tuple[int, int, str, bytes | None]]:
    """(partition, offset, event id, key) of every record of a topic, up to its end now."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        **client_security().arguments(),
    )
    await consumer.start()
    try:
        return [
            (record.partition, record.offset, event_id(record) or "", record.key)
            for record in await _read_to(consumer, await consumer.end_offsets(consumer.assignment()))
        ]
    finally:
        await consumer.stop()


def event_id(record: Any) -> str | None:
    """The id its producer gave an event."""
    ids = [value for name, value in record.headers if name == EVENT_ID and value]
    return ids[-1].decode() if ids else None


async def _read_to(consumer: AIOKafkaConsumer, ends: dict[Any, int]) -> list[Any]:
    rows: list[Any] = []
    while any([await consumer.position(one) < end for one, end in ends.items()]):
        for batch in (await consumer.getmany(timeout_ms=200)).values():
            rows += batch
    return rows


class Follower:
    """Reads the topics as they grow and keeps an audit.

    One step: ask for the committed offsets, then for the ends of all topics, then read up to these ends and no
    further; so at the commits' check the audit knows exactly what was answered when they were seen.

    Args:
        consumer: Of all three topics, outside any group, from their beginning.
        bootstrap: ``host:port`` of the broker.
        group: The consumer group whose commits are checked.
    """

    def __init__(self, consumer: AIOKafkaConsumer, bootstrap: str, group: str = GROUP) -> None:
        self.audit = Audit()
        self.missed = 0
        """Steps that the broker's absence cut short."""
        self._consumer = consumer
        self._bootstrap = bootstrap
        self._group = group
        self._admin: AIOKafkaAdminClient | None = None
        self._fetched: list[Any] = []

    async def step(self) -> bool:
        """One sample; whether the broker was there for it."""
        try:
            async with asyncio.timeout(2 * _REQUEST_MS / 1_000):
                committed = await self._commits()
                ends = await self._consumer.end_offsets(self._consumer.assignment())
                await self._fetch(ends)
                self._take(ends)
        except _AWAY:
            self.missed += 1
            await self.close()
            return False
        for partition, offset in committed.items():
            self.audit.committed(partition, offset)
        return True

    async def lag(self, group: str) -> int | None:
        """How many records of the three topics a group has not committed; None while the broker is away."""
        try:
            async with asyncio.timeout(2 * _REQUEST_MS / 1_000):
                offsets = await self._offsets(group)
                ends = await self._consumer.end_offsets(self._consumer.assignment())
        except _AWAY:
            await self.close()
            return None
        return sum(int(end) - int(offsets[one].offset if one in offsets else 0) for one, end in ends.items())

    async def close(self) -> None:
        """Close the connection that asks for commits; the next step makes a new one."""
        admin, self._admin = self._admin, None
        if admin is not None:
            with contextlib.suppress(*_AWAY):
                await admin.close()

    async def _commits(self) -> dict[int, int]:
        offsets = await self._offsets(self._group)
        return {one.partition: found.offset for one, found in offsets.items() if one.topic == SOURCE}

    async def _offsets(self, group: str) -> dict[Any, Any]:
        if self._admin is None:
            self._admin = AIOKafkaAdminClient(
                bootstrap_servers=self._bootstrap, request_timeout_ms=_REQUEST_MS, **client_security().arguments()
            )
            await self._admin.start()
        offsets: dict[Any, Any] = await self._admin.list_consumer_group_offsets(group)
        return offsets

    async def _fetch(self, ends: dict[Any, int]) -> None:
        # Kept at once: a timeout in the middle must not lose what was fetched.
        while any([await self._consumer.position(one) < end for one, end in ends.items()]):
            for batch in (await self._consumer.getmany(timeout_ms=200)).values():
                self._fetched += batch

    def _take(self, ends: dict[Any, int]) -> None:
        limits = {(one.topic, one.partition): end for one, end in ends.items()}
        now: list[Any] = []
        self._fetched, fetched = [], self._fetched
        for record in fetched:
            (now if record.offset < limits[record.topic, record.partition] else self._fetched).append(record)
        for record in sorted(now, key=lambda one: one.topic != SOURCE):  # stable: a partition's order stays
            name = short(event_id(record) or f"{record.topic}/{record.partition}/{record.offset}")
            if record.topic == SOURCE:
                self.audit.asked(record.partition, record.offset, name)
            else:
                dead = record.topic == DEAD_LETTERS
                self.audit.answered(record.partition, name, record.timestamp, dead=dead)


@asynccontextmanager
async def follower(bootstrap: str) -> AsyncIterator[Follower]:
    """A follower of the three topics, from their beginning."""
    consumer = AIOKafkaConsumer(
        *(SOURCE, PREDICTIONS, DEAD_LETTERS),
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=_REQUEST_MS,
        max_partition_fetch_bytes=4 << 20,
        **client_security().arguments(),
    )
    await consumer.start()
    following = Follower(consumer, bootstrap)
    try:
        yield following
    finally:
        await following.close()
        await consumer.stop()


def look_into_store(audit: Audit, mongodb_uri: str, database: str = "aisle") -> None:
    """Tell the audit what the store holds; blocks.

    The embedded store reads all items for every question and makes an answer whole: so it is asked once, or in as many
    parts as its memory needs.
    """
    client: MongoClient[dict[str, Any]] = MongoClient(mongodb_uri, socketTimeoutMS=600_000)
    with client:
        items = client[database]["items"]
        count = items.count_documents({})
        found: list[bytes] = []
        for part in _parts(count):
            answered = items.find({"_id": part, **_ANSWERED}, ["_id"], batch_size=_AT_ONCE)
            found += [short(str(item["_id"])) for item in answered]
        audit.archived(found, count)


def _parts(count: int) -> list[dict[str, str]]:
    """Ranges of ids, nearly all UUIDs: by their first digit."""
    bounds = ["", *hexdigits[1:16]][:: max(1, 16 * _AT_ONCE // max(count, 1))]
    return [{"$gte": low} | ({"$lt": high} if high else {}) for low, high in zip_longest(bounds, bounds[1:])]


async def verify_until_right(bootstrap: str, mongodb_uri: str, within_s: float) -> Verdict:
    """Count, and go on counting until all is right or time is up."""
    until = time.monotonic() + within_s
    async with follower(bootstrap) as following:
        while True:
            if await following.step():
                await asyncio.to_thread(look_into_store, following.audit, mongodb_uri)
                verdict = following.audit.verdict()
                if verdict.right or time.monotonic() > until:
                    return verdict
            await asyncio.sleep(2)


def main() -> None:
    """Print the count as JSON; exit 1 if something is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kafka", required=True, help="bootstrap servers")
    parser.add_argument("--mongodb", required=True, help="mongodb:// address")
    parser.add_argument("--within", type=float, default=0, help="seconds to wait for stragglers")
    arguments = parser.parse_args()
    verdict = asyncio.run(verify_until_right(arguments.kafka, arguments.mongodb, arguments.within))
    print(json.dumps(asdict(verdict), indent=2))
    sys.exit(0 if verdict.right else 1)


if __name__ == "__main__":
    main()
