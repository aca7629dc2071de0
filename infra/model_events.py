"""The topic models.events: read to its end, and told the next decision. What its records come to is the champion."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from infra.errors import BrokerUnavailable, DeliveryFailed, TopicMissing
from infra.kafka.clients import admin_client, batches, producer_client, reader_client
from infra.kafka.reader import Reader
from infra.logging import get_logger
from schemas.headers import CONTENT_TYPE
from schemas.model_event import CHALLENGER, CHAMPION, ModelEvent
from schemas.topics import MODELS_EVENTS

_ANSWER_S: Final = 20.0
_END: Final = f"/{CHAMPION}".encode()
_TRIED: Final = f"/{CHALLENGER}".encode()

logger = get_logger(__name__)


@dataclass(slots=True)
class Standing:
    """What the records come to that were read so far, in their order.

    Args:
        champion: The decision in force.
        made: Every decision that counted, by version, as far as the topic has them still.
        challenger: The last decision on a model to try beside it; None where there is none, or it was taken back.
    """

    champion: ModelEvent | None = None
    made: dict[str, ModelEvent] = field(default_factory=dict)
    challenger: ModelEvent | None = None

    @property
    def tried(self) -> ModelEvent | None:
        """The decision on a model to try beside the champion; None also where that is the champion by now."""
        tried, served = self.challenger, self.champion
        return None if tried is None or (served is not None and served.model == tried.model) else tried

    def take(self, record: ConsumerRecord) -> None:
        """Add a record; one that is no decision on a champion, or follows on none, is passed over."""
        if (record.key or b"").endswith(_TRIED):
            self._take_challenger(record)
            return
        if not (record.key or b"").endswith(_END):
            return
        if record.value is None:
            if self.champion is not None and self.champion.key.encode() == record.key:
                self.champion = None
            return
        try:
            event = ModelEvent.model_validate_json(record.value)
        except ValueError as error:
            _pass_over(record, "it is no model event: " + str(error).splitlines()[0])
            return
        if event.follows(self.champion):
            self.champion = self.made[event.model.version] = event
        elif self.champion is not None and event != self.champion:
            _pass_over(record, f"{event.model.version} does not follow on {self.champion.model.version}")

    def _take_challenger(self, record: ConsumerRecord) -> None:
        if record.value is None:
            if self.challenger is not None and self.challenger.key.encode() == record.key:
                self.challenger = None
            return
        try:
            self.challenger = ModelEvent.model_validate_json(record.value)
        except ValueError as error:
            _pass_over(record, "it is no model event: " + str(error).splitlines()[0])


async def read_standing(bootstrap: str) -> Standing:
    """What the topic says now.

    Raises:
        BrokerUnavailable: No broker answers.
        TopicMissing: There is no such topic.
    """
    standing = Standing()
    await _require_topic(bootstrap)
    async with reader_client(bootstrap, MODELS_EVENTS, from_start=True) as reader:
        await _read(reader, standing)
    return standing


async def decide(bootstrap: str, following: Callable[[Standing], ModelEvent]) -> Standing:
    """Publish the next decision, and return what stands then: another one where somebody was quicker.

    Args:
        bootstrap: ``host:port`` of the brokers.
        following: Makes the decision, knowing what stands; may raise.

    Raises:
        BrokerUnavailable: No broker answers.
        TopicMissing: There is no such topic.
        DeliveryFailed: The brokers refused the record, or went away.
    """
    standing = Standing()
    await _require_topic(bootstrap)
    async with (
        reader_client(bootstrap, MODELS_EVENTS, from_start=True) as reader,
        producer_client(bootstrap) as producer,
    ):
        await _read(reader, standing)
        event = following(standing)
        await _publish(producer, event.key, event)
        await _read(reader, standing)
        if (stands := standing.champion) is not None and stands != event:
            # Compaction keeps the last record of a key, and would leave the one that does not count.
            await _publish(producer, event.key, stands if stands.key == event.key else None)
    return standing


async def tell(bootstrap: str, event: ModelEvent) -> None:
    """Publish a decision that was made where the topic could not be told.

    Raises:
        BrokerUnavailable: No broker answers.
        DeliveryFailed: The brokers refused the record, or went away.
    """
    async with producer_client(bootstrap) as producer:
        await _publish(producer, event.key, event)


async def put_in_shadow(bootstrap: str, event: ModelEvent | None) -> Standing:
    """Publish which model is tried beside the champion, and return what stands then.

    Args:
        bootstrap: ``host:port`` of the brokers.
        event: The decision, under the alias challenger; None: no model any more.

    Raises:
        BrokerUnavailable: No broker answers.
        TopicMissing: There is no such topic.
        DeliveryFailed: The brokers refused the record, or went away.
    """
    standing = await read_standing(bootstrap)
    before = standing.challenger
    async with producer_client(bootstrap) as producer:
        # Of another name it has a key of its own, which compaction would leave to come back one day.
        if before is not None and (event is None or event.key != before.key):
            await _publish(producer, before.key, None)
        if event is not None:
            await _publish(producer, event.key, event)
    return await read_standing(bootstrap)


async def _require_topic(bootstrap: str) -> None:
    async with admin_client(bootstrap) as admin:
        if MODELS_EVENTS not in await admin.list_topics():
            raise TopicMissing(f"There is no topic {MODELS_EVENTS}.", hint="Run `aisle topics create`.")


async def _read(reader: Reader, standing: Standing) -> None:
    """Read all that is there now."""
    try:
        async with asyncio.timeout(_ANSWER_S):
            ends = await reader.end_offsets(reader.assignment())
            async for records in batches(reader):
                for record in records:
                    standing.take(record)
                if all([await reader.position(one) >= end for one, end in ends.items()]):
                    return
    except (KafkaError, TimeoutError) as error:
        raise BrokerUnavailable(f"{MODELS_EVENTS} cannot be read: {error!r}.", hint="Is a broker running?") from error


async def _publish(producer: AIOKafkaProducer, key: str, event: ModelEvent | None) -> None:
    value = None if event is None else event.model_dump_json().encode()
    try:
        async with asyncio.timeout(_ANSWER_S):
            await producer.send_and_wait(
                MODELS_EVENTS, value, key=key.encode(), headers=[(CONTENT_TYPE, b"application/json")]
            )
    except (KafkaError, TimeoutError) as error:
        raise DeliveryFailed(f"Could not deliver to {MODELS_EVENTS}: {error!r}.") from error


def _pass_over(record: ConsumerRecord, why: str) -> None:
    logger.warning("record skipped", topic=record.topic, partition=record.partition, offset=record.offset, why=why)
