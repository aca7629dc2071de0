"""What a backup reads of topics: an end, or a word why there is none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from aiokafka.structs import ConsumerRecord

from infra.backup import topics
from infra.errors import BrokerUnavailable


class Reader:
    """A reader of one partition with five records, which gives none of them."""

    def assignment(self) -> set[str]:
        """The partition."""
        return {"t/0"}

    async def end_offsets(self, places: set[str]) -> dict[str, int]:
        """Where it ends."""
        return dict.fromkeys(places, 5)

    async def position(self, _place: str) -> int:
        """Where the reader is."""
        return 0


@pytest.fixture(autouse=True)
def _reader(monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def connected(*_: Any, **__: Any) -> AsyncIterator[Reader]:
        yield Reader()

    monkeypatch.setattr(topics, "reader_client", connected)
    monkeypatch.setattr(topics, "_SILENCE_S", 0.05)


async def test_a_broker_that_goes_away_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read any more, and nobody waits for it all night."""

    async def nothing(_reader: Reader) -> AsyncIterator[list[ConsumerRecord]]:
        while True:
            await asyncio.sleep(0.01)
            yield []

    monkeypatch.setattr(topics, "batches", nothing)
    async with asyncio.timeout(10):
        with pytest.raises(BrokerUnavailable, match="Nothing more comes of t"):
            await topics.last_records("nowhere", "t")


async def test_what_kafka_raises_has_a_name_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line with what to do, and whoever repeats commands knows that this helps."""

    async def broken(reader: Reader) -> AsyncIterator[list[ConsumerRecord]]:
        if reader.assignment():
            raise KafkaConnectionError("gone")
        yield []

    monkeypatch.setattr(topics, "batches", broken)
    with pytest.raises(BrokerUnavailable, match="gone"):
        await topics.last_records("nowhere", "t")
