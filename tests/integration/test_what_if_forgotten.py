"""What a what-if replay has in hand while a product is forgotten, on a real store."""

import asyncio
import threading
from typing import Any

import orjson
import pytest

from infra.forgotten import Forgotten
from infra.settings import Settings
from infra.store import REPLAYS, Store
from streams.inference import Inference
from streams.photos import PhotoReader
from streams.replay.event import Event
from streams.replay.what_if import WhatIf
from tests.integration.test_forgotten import LAMP, TITLE, event, forget, ms, settings
from tests.unit.test_inference import ScriptedModel

pytestmark = pytest.mark.integration

__all__ = ["settings"]


async def test_a_what_if_replay_takes_back_what_was_forgotten_meanwhile(settings: Settings, store: Store) -> None:
    """The model takes seconds for a batch: what was forgotten in them does not stay among its answers."""
    model = ScriptedModel()
    classify = model.classify

    def classified(products: Any, photos: Any = ()) -> Any:
        forgetting.set()
        assert forgotten.wait(30)
        return classify(products, photos)

    forgetting, forgotten = threading.Event(), threading.Event()
    model.classify = classified  # type: ignore[method-assign]
    what_if = WhatIf(store, Forgotten(store), "r", Inference(model, 60), PhotoReader.of(settings))

    async def chosen() -> Any:
        for number, name in ((1, LAMP), (3, "twin")):
            value = orjson.dumps({"product_id": name, "title": TITLE})
            yield Event(event(number), name.encode(), value, (), "x", "0", number, ms(-60))

    running = asyncio.create_task(what_if.run(chosen()))
    assert await asyncio.to_thread(forgetting.wait, 30)
    await forget(settings, store)
    forgotten.set()
    await running

    assert [f"r/{event(3)}"] == [one["_id"] async for one in store.collection(REPLAYS).find()]
