"""What-if replays: how often is noted how far one is, and what they leave to the stream."""

from collections.abc import AsyncIterator
from unittest.mock import AsyncMock, Mock

import pytest

from infra.forgotten import Forgotten
from infra.store import Store
from streams.inference import Inference
from streams.photos import PhotoReader
from streams.replay import what_if
from streams.replay.event import Event
from streams.replay.pace import Pace
from streams.replay.what_if import WhatIf
from tests.unit.test_inference import ScriptedModel


@pytest.mark.parametrize(("rate", "batches"), [(0.5, [1] * 4), (1.6, [3, 1]), (1_000, [4])])
async def test_how_far_it_is_is_a_second_old_at_most(
    monkeypatch: pytest.MonkeyPatch, rate: float, batches: list[int]
) -> None:
    """However slow events come: a batch is not waited for until it is full."""
    now = 100.0

    async def pass_by(seconds: float) -> None:
        nonlocal now
        now += seconds

    async def events() -> AsyncIterator[Event]:
        for number in range(4):
            yield Event(f"e{number}", None, b'{"product_id": "p", "title": "t"}', (), "x", "0", number)

    monkeypatch.setattr("streams.replay.pace.monotonic", lambda: now)
    monkeypatch.setattr(what_if, "monotonic", lambda: now)
    monkeypatch.setattr("asyncio.sleep", pass_by)
    model = ScriptedModel()
    forgotten = Mock(spec=Forgotten, refresh=AsyncMock(), __bool__=lambda _: False)
    store = Mock(spec=Store, upsert=AsyncMock())
    inference = Inference(model, 60)
    replay = WhatIf(store, forgotten, "r", inference, Mock(spec=PhotoReader), Pace(rate=rate))

    assert 4 == (await replay.run(events())).events
    assert batches == model.batches


async def test_half_of_the_stores_time_is_left_to_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are written some at a time, and behind each write is as long a rest as it took."""
    now, done = 0.0, list[tuple[str, float]]()

    async def rest(seconds: float) -> None:
        done.append(("rested", seconds))

    async def upsert(_collection: str, changes: list[object]) -> None:
        nonlocal now
        now += len(changes) / 64
        done.append(("written", len(changes)))

    async def events() -> AsyncIterator[Event]:
        for number in range(40):
            yield Event(f"e{number}", None, b'{"product_id": "p", "title": "t"}', (), "x", "0", number)

    monkeypatch.setattr(what_if, "monotonic", lambda: now)
    monkeypatch.setattr("asyncio.sleep", rest)
    forgotten = Mock(spec=Forgotten, refresh=AsyncMock(), __bool__=lambda _: False)
    store = Mock(spec=Store, upsert=upsert)

    await WhatIf(store, forgotten, "r", Inference(ScriptedModel(), 60), Mock(spec=PhotoReader)).run(events())

    assert [("written", 32), ("rested", 0.5), ("written", 8), ("rested", 0.125)] == done
