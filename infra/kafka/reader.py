"""A consumer of whole topics outside any group, which keeps its place while they grow."""

from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.structs import TopicPartition

from infra.kafka.fetch import Fetched
from infra.kafka.positions import position_of


class Reader(AIOKafkaConsumer):  # type: ignore[misc] # aiokafka has no types
    """Reads every partition of its topics; those that come while it reads it takes from their beginning.

    aiokafka's own subscription without a group assigns everything anew when a topic grows: it begins again, or goes
    on behind what has come meanwhile. So the assignment is made here, at each ``getmany``.
    """

    _whole: frozenset[str] = frozenset()

    @property
    def client(self) -> AIOKafkaClient:
        """What speaks to the brokers, as a producer has it."""
        return self._client

    async def start(self) -> None:
        """Connect, with the partitions that there are."""
        await super().start()
        self._whole = self.subscription()
        if self._whole:
            partitions = list(self.assignment())
            self.unsubscribe()
            self.assign(partitions)

    async def getmany(self, *partitions: TopicPartition, **options: Any) -> Fetched:
        """The next records by partition."""
        await self._keep_up()
        fetched: Fetched = await super().getmany(*partitions, **options)
        return fetched

    async def _keep_up(self) -> None:
        there = {
            TopicPartition(topic, number) for topic in self._whole for number in self.partitions_for_topic(topic) or ()
        }
        if not (new := there - self.assignment()):
            return
        places = {partition: position_of(self, partition) for partition in self.assignment()}
        self.assign([*places, *new])
        for partition, offset in places.items():
            if offset is not None:
                self.seek(partition, offset)
        await self.seek_to_beginning(*new)
