"""Sending dead letters back to where they came from, as they came, once more."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import BrokerResponseError, KafkaError
from aiokafka.structs import ConsumerRecord

from infra.dead_letters import Letter
from infra.errors import DeliveryFailed, RetryRefused
from infra.kafka.producer import OutRecord
from schemas.dead_letter import DeadLetter, without_error_headers
from schemas.headers import ATTEMPTS, EVENT_ID, Headers, last_text
from schemas.limits import MIB
from schemas.topics import FEEDBACK, PRODUCTS_IN, TOPICS

SOURCES = (PRODUCTS_IN, FEEDBACK)
"""What aisle takes events from. The topic of a dead letter stands in a header that anyone may have written."""

_UNCONFIRMED = 200
_UNCONFIRMED_BYTES = 16 * MIB
_RETENTION = {spec.name: spec.retention for spec in TOPICS}

Original = Callable[[DeadLetter], Awaitable[ConsumerRecord | None]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A letter that was not sent, and why."""

    event_id: str
    why: str


@dataclass(slots=True)
class Retried:
    """What came of it so far."""

    sent: int = 0
    refused: list[Refusal] = field(default_factory=list)

    @property
    def done(self) -> int:
        """How many letters were dealt with."""
        return self.sent + len(self.refused)


@dataclass(slots=True)
class Retry:
    """Sends letters again.

    Each chunk is published, confirmed by the brokers, and only then noted: a retry that is published and not
    noted may be published twice, which its event id makes harmless; one noted and never published would be
    waited for in vain.

    Args:
        original: Finds the record of a letter whose value was too large to be kept.
        max_attempts: A letter that failed so often is refused.
        publish: Hands a record for a topic over, and returns what to await for the brokers' word; raises KafkaError.
        note: Notes that these letters were sent.
        told: Called as it goes on.
        forgotten: Says of a letter whether it was forgotten by request.
    """

    original: Original
    max_attempts: int
    publish: Callable[[str, OutRecord], Awaitable[Awaitable[Any]]]
    note: Callable[[list[Letter]], Awaitable[None]]
    told: Callable[[Retried], None] = lambda _: None
    forgotten: Callable[[Letter], bool] = lambda _: False

    async def run(self, letters: AsyncIterator[Letter]) -> Retried:
        """Send what can be sent.

        Raises:
            DeliveryFailed: The brokers went away; what was confirmed before is noted.
        """
        done, chunk, size = Retried(), list[tuple[Letter, OutRecord]](), 0
        async for letter in letters:
            if self.forgotten(letter):
                done.refused.append(Refusal(letter.event_id, "It was forgotten by request."))
                continue
            try:
                record = await record_of(letter, self.original, self.max_attempts)
            except RetryRefused as refused:
                done.refused.append(Refusal(letter.event_id, refused.message))
                continue
            chunk.append((letter, record))
            size += len(record.value or b"")
            if len(chunk) >= _UNCONFIRMED or size >= _UNCONFIRMED_BYTES:
                await self._send(chunk, done)
                chunk, size = [], 0
        await self._send(chunk, done)
        return done

    async def _send(self, chunk: list[tuple[Letter, OutRecord]], done: Retried) -> None:
        handed, sent, failed = list[tuple[Letter, Awaitable[Any]]](), list[Letter](), None
        for letter, record in chunk:
            try:
                handed.append((letter, await self.publish(letter.reason.topic, record)))
            except KafkaError as error:
                failed = error
                break
        outcomes = await asyncio.gather(*(confirmed for _, confirmed in handed), return_exceptions=True)
        for (letter, _), outcome in zip(handed, outcomes, strict=True):
            if not isinstance(outcome, BaseException):
                sent.append(letter)
            elif isinstance(outcome, BrokerResponseError) and not outcome.retriable:
                done.refused.append(Refusal(letter.event_id, f"The broker refuses it: {type(outcome).__name__}."))
            elif isinstance(outcome, KafkaError):
                failed = outcome
            else:
                raise outcome
        if sent:
            await self.note(sent)
        done.sent += len(sent)
        self.told(done)
        if failed is not None:
            raise DeliveryFailed(f"Sent {done.sent:,}, then {type(failed).__name__}: {failed}.") from failed


async def record_of(letter: Letter, original: Original, max_attempts: int) -> OutRecord:
    """The record that a letter was, with its event id and how often it was tried.

    Raises:
        RetryRefused: It may not, or cannot, be sent again.
    """
    reason = letter.reason
    if letter.predicted:
        raise RetryRefused("It has its prediction, and the first one stands.")
    if reason.attempts >= max_attempts:
        raise RetryRefused(f"It was tried {reason.attempts} times and AISLE_DLQ_MAX_ATTEMPTS is {max_attempts}.")
    if reason.topic not in SOURCES:
        raise RetryRefused(f"It names the topic {reason.topic}, which is none that aisle takes events from.")
    if letter.unread:  # null would be sent in its place; and who fetches it may end as the worker did
        raise RetryRefused(f"It was never read, as that ends a process; it is {_place(reason)}.")
    key, value, headers = letter.key, letter.value, letter.headers
    if value is None and reason.value_sha256 is not None:
        source = await original(reason)
        if source is None:
            raise RetryRefused(f"Its value was too large to be kept, and {_place(reason)} is gone.")
        if source.value is None or sha256(source.value).hexdigest() != reason.value_sha256:
            raise RetryRefused(f"Its value was too large to be kept, and another record is at {_place(reason)} now.")
        key, value, headers = source.key, source.value, source.headers
    return OutRecord(
        partition=reason.partition,
        key=key,
        value=value,
        headers=retry_headers(headers, letter.event_id, reason.attempts),
        timestamp_ms=_timestamp_ms(reason),
    )


def retry_headers(headers: Headers, event_id: str, attempts: int) -> list[tuple[str, bytes | None]]:
    """The record's own headers, its event id if they do not give it, and how often it was tried."""
    own = without_error_headers(headers)
    if last_text(own, EVENT_ID) != event_id:
        own.append((EVENT_ID, event_id.encode()))
    return [*own, (ATTEMPTS, str(attempts).encode())]


async def publish(producer: AIOKafkaProducer, topic: str, record: OutRecord) -> Awaitable[Any]:
    """Hand one record over.

    The partition is the record's own, so that the order of its product holds; in a topic that has fewer by
    now, another. As a batch of its own, since ``send`` takes no record without key and value. One at a time:
    of several that wait to hand over a batch for one partition, aiokafka lets some time out in seconds.

    Args:
        producer: Not idempotent: a refused record would stop its partition.
        topic: Where to.
        record: The record.

    Returns:
        What to await for the brokers' word.

    Raises:
        KafkaError: It could not be handed over.
    """
    partitions = await producer.partitions_for(topic)
    partition = record.partition if record.partition in partitions else record.partition % len(partitions)
    builder = producer.create_batch()
    builder.append(key=record.key, value=record.value, timestamp=record.timestamp_ms, headers=list(record.headers))
    confirmed: Awaitable[Any] = await producer.send_batch(builder, topic, partition=partition)
    return confirmed


def _timestamp_ms(reason: DeadLetter) -> int | None:
    """The record's own time, or None for now where the topic would soon delete it, or refuse it, for that time.

    The time a product was published orders it among its product's others; half the retention is a good while.
    """
    now = datetime.now(UTC).timestamp() * 1000
    retention = _RETENTION[reason.topic]
    oldest = 0 if retention is None else now - retention.total_seconds() * 1000 / 2
    return reason.timestamp_ms if oldest <= reason.timestamp_ms <= now else None


def _place(reason: DeadLetter) -> str:
    return f"{reason.topic}, partition {reason.partition}, offset {reason.offset}"
