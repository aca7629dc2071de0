"""Answers to events that were sent from here, as the archive has them."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from time import monotonic
from typing import Final, Protocol, TypeVar

from infra.store import ITEMS, Document, Store

_LOOK_EVERY_S: Final = 1.0
_BATCH: Final = 500
_ANSWER: Final = (
    "prediction.category.code",
    "prediction.confidence",
    "prediction.decided_by",
    "prediction.model.version",
    "dead_letter.message",
)


class Sent(Protocol):
    """Whatever is an event."""

    @property
    def event_id(self) -> str:
        """Its id."""


S = TypeVar("S", bound=Sent)


async def answers(store: Store, event_ids: Collection[str], wait_s: float) -> dict[str, Document]:
    """The items of events once all are answered, or the time is over; by event id, those that are answered.

    Raises:
        StoreUnavailable: The store is away.
    """
    until = monotonic() + wait_s
    found: dict[str, Document] = {}
    while True:
        for event_id in event_ids:
            if event_id not in found and (item := await _answered(store, event_id)) is not None:
                found[event_id] = item
        if len(found) == len(event_ids) or monotonic() > until:
            return found
        await asyncio.sleep(_LOOK_EVERY_S)


async def unseen(store: Store, events: Iterable[S], count: int) -> list[S]:
    """The first events that the archive has not seen yet.

    Args:
        store: Where items are.
        events: In the order in which they may be taken.
        count: How many, at most.

    Raises:
        StoreUnavailable: The store is away.
    """
    left, found = iter(events), list[S]()
    while len(found) < count and (some := list(islice(left, _BATCH))):
        known = await _known(store, some)
        found += [one for one in some if one.event_id not in known]
    return found[:count]


async def _known(store: Store, events: Sequence[Sent]) -> set[str]:
    query = {"_id": {"$in": [one.event_id for one in events]}}
    with store.named_errors():
        return {str(item["_id"]) async for item in store.collection(ITEMS).find(query, {"_id": True})}


async def _answered(store: Store, event_id: str) -> Document | None:
    with store.named_errors():
        item: Document | None = await store.collection(ITEMS).find_one({"_id": event_id}, dict.fromkeys(_ANSWER, True))
    return item if item and (item.get("prediction") or item.get("dead_letter")) else None
