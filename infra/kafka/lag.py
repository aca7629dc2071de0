"""How far behind consumer groups are, and how much comes, by the offsets of topics: no record is read for it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from infra.errors import BrokerUnavailable
from infra.kafka.clients import admin_client, reader_client
from schemas.topics import TOPICS

_WITHIN_S: Final = 8.0
_OURS: Final = "aisle-"
_GROUPS: Final = 20

Lags = dict[str, dict[TopicPartition, int | None]]
"""By group and partition, the records that are not done; None where nothing was committed yet."""


async def committed_lags(admin: AIOKafkaAdminClient, reader: AIOKafkaConsumer) -> Lags:
    """How far behind each of aisle's groups is.

    Args:
        admin: Connected.
        reader: Connected, outside any group.
    """
    found = await admin.list_consumer_groups()
    groups = sorted(group for group, *_ in found if group.startswith(_OURS))[:_GROUPS]
    return {group: await _lag(admin, reader, group) for group in groups}


async def _lag(admin: AIOKafkaAdminClient, reader: AIOKafkaConsumer, group: str) -> dict[TopicPartition, int | None]:
    committed = await admin.list_consumer_group_offsets(group)
    ends = await reader.end_offsets(list(committed)) if committed else {}
    return {
        place: max(0, ends[place] - committed[place].offset) if committed[place].offset >= 0 else None
        for place in sorted(committed)
    }


@dataclass(frozen=True, slots=True)
class Offsets:
    """Where topics and groups stand.

    Args:
        lags: How far behind the groups are.
        ends: The offset of the next record, of every partition of aisle's topics.
        before: The same as of a moment before.
    """

    lags: Lags
    ends: Mapping[TopicPartition, int]
    before: Mapping[TopicPartition, int]


async def read_offsets(bootstrap: str, since_ms: int | None = None) -> Offsets:
    """Where topics and groups stand now, and where topics stood at a moment, in milliseconds since 1970.

    Raises:
        BrokerUnavailable: No broker answers, or not in time.
    """
    ours = {spec.name for spec in TOPICS}
    try:
        async with (
            asyncio.timeout(_WITHIN_S),
            admin_client(bootstrap) as admin,
            reader_client(bootstrap, from_start=False) as reader,
        ):
            there = sorted(ours & set(await admin.list_topics()))
            topics = await admin.describe_topics(there) if there else []
            places = [
                TopicPartition(topic["topic"], one["partition"]) for topic in topics for one in topic["partitions"]
            ]
            ends = await reader.end_offsets(places) if places else {}
            before = await _before(reader, ends, since_ms) if since_ms is not None and places else ends
            return Offsets(await committed_lags(admin, reader), ends, before)
    except (KafkaError, TimeoutError) as error:
        raise BrokerUnavailable(
            f"The broker does not say how far behind workers are: {type(error).__name__}."
        ) from error


async def _before(
    reader: AIOKafkaConsumer, ends: Mapping[TopicPartition, int], since_ms: int
) -> dict[TopicPartition, int]:
    found = await reader.offsets_for_times(dict.fromkeys(ends, since_ms))
    return {place: end if found.get(place) is None else found[place].offset for place, end in ends.items()}
