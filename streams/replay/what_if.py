"""What another model would have said: events of the past, classified beside the live stream into ``replays`` only.

Nothing is published. Whoever looks at `replays` sees one document an event, named by the replay and the event, so that
what is done twice is there once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Final

from pymongo import UpdateOne

from infra.forgotten import Forgotten
from infra.lease import utc_now
from infra.store import REPLAYS, Document, Store
from model.classifier import Classification
from schemas.errors import AisleError
from schemas.prediction import ModelRef
from schemas.product import Product
from streams.classify import ask
from streams.decode import product_of
from streams.inference import Inference
from streams.photos import PhotoReader
from streams.replay.event import Event
from streams.replay.forgotten import is_forgotten
from streams.replay.pace import Pace
from streams.replay.send import Sent

_BATCH: Final = 128
_WRITTEN: Final = 32
_CONFIRM_S: Final = 1.0


@dataclass(slots=True)
class WhatIf:
    """Classifies events with a model that answers nobody.

    Args:
        store: Where the answers go.
        forgotten: Says what is not to be kept.
        replay_id: Names them.
        inference: Asks the model.
        photos: Reads photos for a model that looks at them.
        pace: How fast.
        confirmed: Told of each batch once the store has it.
        sent: What was done before.
    """

    store: Store
    forgotten: Forgotten
    replay_id: str
    inference: Inference
    photos: PhotoReader
    pace: Pace = field(default_factory=Pace)
    confirmed: Callable[[Sent], None] = lambda _: None
    sent: Sent = field(default_factory=Sent)

    async def run(self, events: AsyncIterator[Event]) -> Sent:
        """Classify them all; what cannot be read or classified is counted as refused.

        Raises:
            ModelFailed: The model answers nothing.
            StoreUnavailable: The store is away.
        """
        batch: list[Event] = []
        since = monotonic()
        async for event in events:
            wait_s = self.pace.wait_s(event)
            if batch and (wait_s > _CONFIRM_S or monotonic() - since > _CONFIRM_S):
                await self._do(batch)  # nothing of it would be noted for that long
                batch = []
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            if not batch:
                since = monotonic()
            batch.append(event)
            if len(batch) >= _BATCH:
                await self._do(batch)
                batch = []
        await self._do(batch)
        return self.sent

    async def _do(self, batch: list[Event]) -> None:
        known: list[tuple[Event, Product]] = []
        for event in batch:
            try:
                known.append((event, product_of(event.value)))
            except AisleError as error:
                self.sent.refused[error.code] += 1
        async with self.inference.batch() as model:
            answers = await ask(self.inference, self.photos, [product for _, product in known])
        at, changes = utc_now(), []
        for (event, product), answer in zip(known, answers, strict=True):
            if isinstance(answer, Exception):
                self.sent.refused["event-poisonous"] += 1
                continue
            change = {"$set": _document(self.replay_id, event, product, answer, model, at)}
            changes.append(UpdateOne({"_id": f"{self.replay_id}/{event.event_id}"}, change, upsert=True))
            self.sent.bytes += event.size
        for start in range(0, len(changes), _WRITTEN):
            began = monotonic()
            await self.store.upsert(REPLAYS, changes[start : start + _WRITTEN])
            await asyncio.sleep(monotonic() - began)  # half of the store's time is for the stream's writes
        await self._take_back(batch)
        self.sent.events += len(changes)
        for event in batch:
            self.sent.positions[event.part] = event.position
        self.confirmed(self.sent)

    async def _take_back(self, batch: list[Event]) -> None:
        """Remove what was forgotten while it was in hand: whoever forgets it may have looked before it was written."""
        await self.forgotten.refresh()
        if gone := [f"{self.replay_id}/{one.event_id}" for one in batch if is_forgotten(one, self.forgotten)]:
            with self.store.named_errors():
                await self.store.collection(REPLAYS).delete_many({"_id": {"$in": gone}})


def _document(
    replay_id: str, event: Event, product: Product, answer: Classification, model: ModelRef, at: datetime
) -> Document:
    return {
        "replay": replay_id,
        "event_id": event.event_id,
        "product_id": product.product_id,
        "title": product.title,
        "model": model.model_dump(),
        "score": {
            "scored_at": at,
            "category": answer.category.model_dump(exclude_none=True),
            "confidence": answer.confidence,
            "needs_review": answer.needs_review,
            "decided_by": answer.decided_by,
        },
    }
