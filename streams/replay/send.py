"""The way of events to a topic: at a pace, each confirmed, and what was confirmed written down."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterable, Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from infra.errors import DeliveryFailed
from schemas.limits import MAX_RECORD_BYTES, MIB
from streams.replay.event import Event, Positions
from streams.replay.pace import Pace

_UNCONFIRMED: Final = 5_000  # deliveries awaited together: enough to keep the producer busy, little to hold
_UNCONFIRMED_BYTES: Final = 32 * MIB
_CONFIRM_S: Final = 1.0


@dataclass(slots=True)
class Sent:
    """What was sent and confirmed so far.

    Args:
        events: How many.
        bytes: Of their keys and values.
        refused: Those that no record holds or the broker does not take, by why.
        positions: How far the source was dealt with.
    """

    events: int = 0
    bytes: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    positions: Positions = field(default_factory=dict)

    @property
    def done(self) -> int:
        """How many events were dealt with."""
        return self.events + self.refused.total()


@dataclass(frozen=True, slots=True)
class _Refusal:
    why: str


@dataclass(slots=True)
class Sender:
    """Sends events to a topic.

    Args:
        producer: A started producer that is not idempotent: one refused record would stop its partition.
        topic: Where to.
        replay_id: Written into each record.
        limit_bytes: The largest value that is sent.
        pace: How fast.
        confirmed: Told of each group of events once the brokers have them all.
    """

    producer: AIOKafkaProducer
    topic: str
    replay_id: str | None
    limit_bytes: int = MAX_RECORD_BYTES
    pace: Pace = field(default_factory=Pace)
    confirmed: Callable[[Sent], None] = lambda _: None
    sent: Sent = field(default_factory=Sent)
    _open: list[tuple[Event, Awaitable[Any]]] = field(default_factory=list, init=False)
    _open_bytes: int = field(default=0, init=False)
    _confirmed_at: float = field(default_factory=monotonic, init=False)

    async def send(self, events: AsyncIterable[Event]) -> Sent:
        """Send them in order and return once every delivery is confirmed.

        What was handed over when this is cancelled is confirmed first.

        Raises:
            DeliveryFailed: The brokers did not take an event; what they took is in ``sent``.
        """
        try:
            async for event in events:
                await self._at_its_turn(event)
                await self._hand_over(event)
                late = monotonic() - self._confirmed_at > _CONFIRM_S
                if late or len(self._open) >= _UNCONFIRMED or self._open_bytes >= _UNCONFIRMED_BYTES:
                    await self._confirm()
            await self._confirm()
        except asyncio.CancelledError:
            await self._confirm()
            raise
        return self.sent

    async def _at_its_turn(self, event: Event) -> None:
        wait_s = self.pace.wait_s(event)
        if wait_s > _CONFIRM_S:  # nothing else would be noted for that long
            await self._confirm()
        if wait_s > 0:
            await asyncio.sleep(wait_s)

    async def _hand_over(self, event: Event) -> None:
        if len(event.value or b"") > self.limit_bytes:
            delivered = _known(_Refusal("too large for a record"))
        else:
            try:
                delivered = await self._record(event)
            except KafkaError as error:
                if not _is_refusal(error):
                    raise self._failed(error) from error
                delivered = _known(_Refusal(type(error).__name__))
        self._open.append((event, delivered))
        self._open_bytes += event.size

    async def _record(self, event: Event) -> Awaitable[Any]:
        headers = event.headers if self.replay_id is None else event.replayed(self.replay_id)
        partition = event.partition
        if partition is not None:
            known = await self.producer.partitions_for(self.topic)
            partition = partition if partition in known else None
        if event.key is None and event.value is None:  # `send` takes no such record
            batch = self.producer.create_batch()
            batch.append(key=None, value=None, timestamp=event.timestamp_ms, headers=list(headers))
            delivered: Awaitable[Any] = await self.producer.send_batch(batch, self.topic, partition=partition or 0)
        else:
            delivered = await self.producer.send(
                self.topic,
                event.value,
                key=event.key,
                headers=list(headers),
                partition=partition,
                timestamp_ms=event.timestamp_ms,
            )
        return delivered

    async def _confirm(self) -> None:
        gathered = asyncio.gather(*(delivered for _, delivered in self._open), return_exceptions=True)
        await asyncio.wait({gathered})  # a cancel here leaves deliveries alone, and they are confirmed after it
        waiting, self._open, self._open_bytes = self._open, [], 0
        outcomes = gathered.result()
        failed: KafkaError | None = None
        for (event, _), outcome in zip(waiting, outcomes, strict=True):
            if failed is not None:
                break  # positions go no further than what is surely dealt with
            if isinstance(outcome, KafkaError) and not _is_refusal(outcome):
                failed = outcome
                continue
            if isinstance(outcome, _Refusal):
                self.sent.refused[outcome.why] += 1
            elif isinstance(outcome, KafkaError):
                self.sent.refused[type(outcome).__name__] += 1
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                self.sent.events += 1
                self.sent.bytes += event.size
            self.sent.positions[event.part] = event.position
        self._confirmed_at = monotonic()
        self.confirmed(self.sent)
        if failed is not None:
            raise self._failed(failed) from failed

    def _failed(self, error: KafkaError) -> DeliveryFailed:
        return DeliveryFailed(f"Could not deliver to {self.topic}: {type(error).__name__}: {error}.")


def _is_refusal(error: KafkaError) -> bool:
    """Whether it is about this record, and would be said of it again."""
    return isinstance(error, (MessageSizeTooLargeError, RecordListTooLargeError))


def _known(outcome: _Refusal) -> Awaitable[Any]:
    future: asyncio.Future[_Refusal] = asyncio.get_running_loop().create_future()
    future.set_result(outcome)
    return future
