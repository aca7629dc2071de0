"""What-if replays: how often is noted how far one is."""

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
