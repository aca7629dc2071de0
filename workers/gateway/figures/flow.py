"""How much came when, and who is behind, by the offsets of topics: no record is read for it."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from infra.errors import BrokerUnavailable
from infra.kafka.clients import admin_client, reader_client
from infra.kafka.lag import committed_lags
from schemas.http.figures import Flow, GroupLag, PartitionLag, Rate, Series
from schemas.topics import PREDICTIONS_OUT, PRODUCTS_DLQ

_WITHIN_S: Final = 8.0
_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
_MINUTES: Final = 60
_HOURS: Final = 24

Counts = dict[str, int]
"""By topic, how many records came before a moment."""


class FlowFigures:
    """Reads offsets; those of moments that are over are kept."""

    def __init__(self) -> None:
        self._known: dict[int, Counts] = {}

    async def read(self, bootstrap: str, now: datetime) -> Flow:
        """The flow of the last hour and day, and how far behind workers are.

        Args:
            bootstrap: ``host:port`` of the brokers.
            now: The end of what is looked at.

        Raises:
            BrokerUnavailable: No broker answers, or not in time.
        """
        try:
            async with (
                asyncio.timeout(_WITHIN_S),
                admin_client(bootstrap) as admin,
                reader_client(bootstrap, from_start=False) as reader,
            ):
                places = await _places(admin)
                ends = _sums(await reader.end_offsets(places)) if places else {}
                now_ms = int(now.timestamp() * 1_000)
                minutes, hours = _moments(now_ms, _MINUTE_MS, _MINUTES), _moments(now_ms, _HOUR_MS, _HOURS)
                await self._look_up(reader, places, {*minutes, *hours}, ends)
                lags = await committed_lags(admin, reader)
        except (KafkaError, TimeoutError) as error:
            raise BrokerUnavailable(f"The broker does not say how much came: {type(error).__name__}.") from error
        groups = [
            GroupLag(
                group=group,
                lag=sum(lag or 0 for lag in of.values()),
                partitions=[PartitionLag(topic=place.topic, partition=place.partition, lag=of[place]) for place in of],
            )
            for group, of in lags.items()
        ]
        series = {
            topic: Series(
                minutes=self._rates(topic, minutes, ends.get(topic, 0)),
                hours=self._rates(topic, hours, ends.get(topic, 0)),
            )
            for topic in (PREDICTIONS_OUT, PRODUCTS_DLQ)
        }
        return Flow(predictions=series[PREDICTIONS_OUT], dead_letters=series[PRODUCTS_DLQ], groups=groups)

    async def _look_up(
        self, reader: AIOKafkaConsumer, places: Sequence[TopicPartition], moments: set[int], ends: Counts
    ) -> None:
        if any(counts.get(topic, 0) > ends.get(topic, 0) for counts in self._known.values() for topic in counts):
            self._known.clear()  # a topic was made anew
        self._known = {moment: counts for moment, counts in self._known.items() if moment in moments}
        end_of = await reader.end_offsets(places) if places else {}
        for moment in moments - self._known.keys():
            found: Mapping[TopicPartition, Any] = (
                await reader.offsets_for_times(dict.fromkeys(places, moment)) if places else {}
            )
            at = {place: end_of[place] if found.get(place) is None else found[place].offset for place in places}
            self._known[moment] = _sums(at)

    def _rates(self, topic: str, moments: Sequence[int], end: int) -> list[Rate]:
        counts = [*(self._known[moment].get(topic, 0) for moment in moments), end]
        return [
            Rate(since=datetime.fromtimestamp(moment / 1_000, UTC), count=max(0, after - before))
            for moment, before, after in zip(moments, counts, counts[1:], strict=False)
        ]


def _moments(now_ms: int, step_ms: int, count: int) -> list[int]:
    """The beginnings of the last parts of time, the one that goes on included."""
    last = now_ms // step_ms * step_ms
    return [last - step_ms * back for back in reversed(range(count))]


def _sums(offsets: Mapping[TopicPartition, int]) -> Counts:
    sums: Counts = {}
    for place, offset in offsets.items():
        sums[place.topic] = sums.get(place.topic, 0) + offset
    return sums


async def _places(admin: AIOKafkaAdminClient) -> list[TopicPartition]:
    there = set(await admin.list_topics())
    wanted = [topic for topic in (PREDICTIONS_OUT, PRODUCTS_DLQ) if topic in there]
    described = await admin.describe_topics(wanted) if wanted else []
    return [TopicPartition(topic["topic"], one["partition"]) for topic in described for one in topic["partitions"]]
