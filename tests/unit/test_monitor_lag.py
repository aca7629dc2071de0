"""How far behind workers are: shown while it is known, and never as it was once."""

import asyncio

import pytest
from aiokafka.structs import TopicPartition

from infra.errors import BrokerUnavailable, SettingsInvalid
from infra.kafka.lag import Offsets
from infra.metrics import REGISTRY
from infra.metrics.monitor import TOPIC_END
from infra.settings import Settings
from workers.monitor import lag

PLACE = TopicPartition("products.in", 0)


@pytest.mark.parametrize("error", [BrokerUnavailable("away"), SettingsInvalid("no password"), KeyError("ours")])
async def test_what_cannot_be_told_is_not_shown_as_it_was(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Whatever goes wrong, the figures go, so that their absence is an alert; and come back as soon as they can."""
    answers: list[Offsets | Exception] = [Offsets({"aisle-classify": {PLACE: 7}}, {PLACE: 9}, {}), error]
    shown: list[float | None] = []
    again = asyncio.Event()

    async def read(_bootstrap: str) -> Offsets:
        shown.append(REGISTRY.get_sample_value("aisle_topic_end_offset", {"topic": "products.in", "partition": "0"}))
        if len(shown) == 3:
            again.set()
            await asyncio.Event().wait()
        answer = answers[len(shown) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(lag, "read_offsets", read)
    monkeypatch.setattr(lag, "_EVERY_S", 0)
    TOPIC_END.clear()
    watching = asyncio.create_task(lag.watch_lag(Settings(kafka_bootstrap="here:1")))
    try:
        async with asyncio.timeout(5):
            await again.wait()
    finally:
        watching.cancel()
        await asyncio.wait({watching})

    assert [None, 9.0, None] == shown
