"""Predictions as they come, to whoever looks on: read once for all of them, at a bounded rate for each."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from aiokafka.structs import ConsumerRecord
from pydantic import ValidationError

from schemas.http.live import LivePrediction
from schemas.ids import is_canary
from schemas.prediction import Prediction
from schemas.topics import PREDICTIONS_OUT
from workers.gateway.errors import Busy
from workers.gateway.road.answers import Answers

MOST: Final = 200
"""Who may look on at a time."""

A_SECOND: Final = 20
"""Predictions that each of them is told at most."""

_TICK_S: Final = 0.1
_A_TICK: Final = int(A_SECOND * _TICK_S)
_READ: Final = 100  # records of a tick that are decoded; the rest is passed over
_WAITING: Final = 2 * A_SECOND  # messages for somebody who reads slowly


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which predictions somebody wants to see; None means any."""

    needs_review: bool | None = None
    category: str | None = None

    def __contains__(self, one: LivePrediction) -> bool:
        return (self.needs_review is None or one.needs_review is self.needs_review) and (
            self.category is None or one.category.code == self.category
        )


@dataclass(eq=False, slots=True)
class Onlooker:
    """Somebody who looks on.

    Args:
        wanted: What he wants to see.
        messages: What he has still to be told: JSON of a prediction, and how many were passed over before it.
        passed_over: Since the last of them.
    """

    wanted: Wanted
    messages: asyncio.Queue[tuple[str, int]] = field(default_factory=lambda: asyncio.Queue(_WAITING))
    passed_over: int = 0

    def take(self, read: Sequence[tuple[LivePrediction, str]], unread: int) -> None:
        """What came in a tick.

        Args:
            read: The newest of it, the oldest first, each with its JSON.
            unread: How many came beside.
        """
        matching = [text for one, text in read if one in self.wanted]
        self.passed_over += unread + max(0, len(matching) - _A_TICK)
        for text in matching[-_A_TICK:]:
            if self.messages.full():
                self.passed_over += 1
                continue
            self.messages.put_nowait((text, self.passed_over))
            self.passed_over = 0


class Live:
    """The feed of a gateway; it is read as long as somebody looks on.

    Args:
        answers: Follows the topic.
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._onlookers: set[Onlooker] = set()
        self._reading: asyncio.Task[None] | None = None
        self._places: dict[int, int] = {}

    def check_room(self) -> None:
        """Refuse one more.

        Raises:
            Busy: Too many look on.
        """
        if len(self._onlookers) >= MOST:
            raise Busy(f"{MOST} look at the live feed already.", hint="Close one elsewhere, or try again later.")

    @asynccontextmanager
    async def watching(self, wanted: Wanted) -> AsyncIterator[Onlooker]:
        """Look on for as long as the context lasts."""
        onlooker = Onlooker(wanted)
        self._onlookers.add(onlooker)
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        try:
            yield onlooker
        finally:
            self._onlookers.discard(onlooker)
            if not self._onlookers and self._reading is not None:
                self._reading.cancel()
                self._reading = None

    async def _read(self) -> None:
        self._places.clear()
        async with self._answers.feed() as queue:
            while True:
                records = [await queue.get()]
                await asyncio.sleep(_TICK_S)
                while not queue.empty():
                    records.append(queue.get_nowait())
                self._tell([record for record in records if record.topic == PREDICTIONS_OUT])

    def _tell(self, records: Sequence[ConsumerRecord]) -> None:
        came = sum(self._moved(record) for record in records)
        newest = records[-_READ:]
        read = [found for record in newest if (found := _read_record(record)) is not None]
        for onlooker in self._onlookers:
            onlooker.take(read, came - len(newest))

    def _moved(self, record: ConsumerRecord) -> int:
        """How many came up to this one: also those that the feed had no room for, as their offsets tell."""
        offset: int = record.offset
        before = self._places.get(record.partition, offset - 1)
        self._places[record.partition] = offset
        return max(1, offset - before)


def _read_record(record: ConsumerRecord) -> tuple[LivePrediction, str] | None:
    """A prediction and its JSON; None for what is none, or is one of a canary."""
    try:
        found = LivePrediction.of(Prediction.model_validate_json(record.value or b""))
    except ValidationError:
        return None
    return None if is_canary(found.product_id) else (found, found.model_dump_json())
