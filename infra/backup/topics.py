"""What a backup has of the topics: the last record of each key of those that are kept for good, and positions.

Other topics are the brokers' to keep. Positions are read before the store is: what a group did since is done again
from there, and every write of the archive repeats without effect.
"""

import gzip
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Final

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from infra.backup.manifest import Position
from infra.errors import BrokerUnavailable
from infra.kafka.clients import admin_client, batches, producer_client, reader_client
from infra.kafka.security import client_security
from infra.kafka.topic_ids import topic_ids
from schemas.headers import CONTENT_TYPE
from schemas.topics import TOPICS

COMPACTED: Final = tuple(spec.name for spec in TOPICS if spec.retention is None)
ARCHIVE: Final = "aisle-archive"
"""The group whose positions go back with the store."""

SUFFIX: Final = ".jsonl.gz"

_AT_ONCE: Final = 1_000
_MEMBERS: Final = 5  # in what the broker says of a group
_SILENCE_S: Final = 30.0


async def positions_of(bootstrap: str) -> list[Position]:
    """Where the archive stands in its topics.

    Raises:
        BrokerUnavailable: No broker answers.
    """
    with _named_errors():
        async with admin_client(bootstrap) as admin, producer_client(bootstrap) as client:
            committed = await _committed(admin)
            ids = await topic_ids(client.client, {place.topic for place in committed})
        return [
            Position(
                group=ARCHIVE,
                topic=place.topic,
                topic_id=str(ids[place.topic]),
                partition=place.partition,
                offset=found.offset,
            )
            for place, found in sorted(committed.items())
            if found.offset >= 0
        ]


async def last_records(bootstrap: str, topic: str) -> dict[bytes, bytes]:
    """The last value of each key of a compacted topic, in the order of their offsets.

    Raises:
        BrokerUnavailable: No broker answers, or nothing comes for half a minute.
    """
    found: dict[bytes, bytes] = {}
    with _named_errors():
        async with reader_client(bootstrap, topic, from_start=True) as reader:
            ends, heard = await reader.end_offsets(reader.assignment()), monotonic()
            async for some in batches(reader):
                for record in some:
                    heard = monotonic()
                    found.pop(record.key or b"", None)
                    if record.value is not None:
                        found[record.key or b""] = record.value
                if all([await reader.position(place) >= end for place, end in ends.items()]):
                    return found
                if monotonic() - heard > _SILENCE_S:
                    raise BrokerUnavailable(f"Nothing more comes of {topic}.", hint="Is a broker running?")
    return found


def write_records(path: Path, records: Iterable[tuple[bytes, bytes]]) -> None:
    """Keep records in a file."""
    with gzip.GzipFile(path, "wb", mtime=0) as file:
        for key, value in records:
            line = {"key": b64encode(key).decode(), "value": b64encode(value).decode()}
            file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def read_records(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """The records of a file."""
    with gzip.open(path) as file:
        for line in file:
            found = orjson.loads(line)
            yield b64decode(found["key"]), b64decode(found["value"])


async def publish_records(bootstrap: str, topic: str, records: Iterable[tuple[bytes, bytes | None]]) -> int:
    """Publish records again, in their order; how many there were. One without a value takes its key back.

    Raises:
        BrokerUnavailable: No broker answers, or it went away; some may have been published.
    """
    count, sent = 0, []
    with _named_errors():
        async with producer_client(bootstrap) as producer:
            for key, value in records:
                headers = [(CONTENT_TYPE, b"application/json")]
                sent.append(await producer.send(topic, value, key=key, headers=headers))
                count += 1
                if len(sent) >= _AT_ONCE:
                    for one in sent:
                        await one
                    sent.clear()
            for one in sent:
                await one
    return count


async def go_back(bootstrap: str, positions: Iterable[Position]) -> int:
    """Commit positions, and the beginning of every partition without one; how many partitions go back.

    One that was empty, not there, or of another topic of that name when the positions were read has none: all that it
    holds has come since. A group that has not got so far stays where it is.

    Raises:
        BrokerUnavailable: No broker answers, or it refuses: the group has members, which alone say where they are.
    """
    wanted = {(one.topic, one.partition): one for one in positions}
    with _named_errors():
        async with admin_client(bootstrap) as admin, producer_client(bootstrap) as client:
            there = set(await admin.list_topics())
            committed = {place: found for place, found in (await _committed(admin)).items() if place.topic in there}
            ids = await topic_ids(client.client, {place.topic for place in committed})
        back = {}
        for place, found in committed.items():
            one = wanted.get((place.topic, place.partition))
            offset = one.offset if one is not None and one.topic_id == str(ids[place.topic]) else 0
            if found.offset > offset:
                back[place] = OffsetAndMetadata(offset, "")
        if back:
            await _commit(bootstrap, back)
    return len(back)


async def members(bootstrap: str) -> int:
    """How many processes archive now.

    Raises:
        BrokerUnavailable: No broker answers.
    """
    with _named_errors():
        async with admin_client(bootstrap) as admin:
            if not await _is_known(admin):
                return 0
            (answer,) = await admin.describe_consumer_groups([ARCHIVE])
            return len(answer.groups[0][_MEMBERS])


async def _committed(admin: AIOKafkaAdminClient) -> dict[TopicPartition, OffsetAndMetadata]:
    return dict(await admin.list_consumer_group_offsets(ARCHIVE)) if await _is_known(admin) else {}


async def _is_known(admin: AIOKafkaAdminClient) -> bool:
    """Whether the group was ever there: a new broker cannot even be asked for one."""
    return ARCHIVE in {group for group, *_ in await admin.list_consumer_groups()}


async def _commit(bootstrap: str, offsets: dict[TopicPartition, OffsetAndMetadata]) -> None:
    arguments = client_security().arguments()
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=ARCHIVE, enable_auto_commit=False, **arguments)
    await consumer.start()
    try:
        consumer.assign(list(offsets))
        await consumer.commit(offsets)
    finally:
        await consumer.stop()


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        raise BrokerUnavailable(f"The broker went away, or refuses: {error!r}.", hint="Is a broker running?") from error
