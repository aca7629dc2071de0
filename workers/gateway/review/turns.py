"""Turns: of all requests that judge an item only one does so at a time, so that each knows what the one before said.

A turn is the field ``turn`` {of, until} of the item's document in ``claims``. It ends when the verdict is noted and
sent; that of a gateway which died meanwhile ends by itself.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from time import monotonic
from typing import Final
from uuid import uuid4

from pymongo import UpdateOne

from infra.errors import StoreRefused, StoreUnavailable
from infra.lease import Clock
from infra.store import CLAIMS, Document, Store
from workers.gateway.errors import Busy

_LASTS: Final = timedelta(minutes=2)  # longer than a verdict takes: 10 s at the broker, 30 s for a call of the store
_WAIT_S: Final = 3.0
_PAUSE_S: Final = 0.05


class Turns:
    """Gives turns.

    Args:
        store: Where they are kept.
        clock: Gives the time.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @asynccontextmanager
    async def of(self, event_ids: Sequence[str]) -> AsyncIterator[None]:
        """Have the turn at each of these items for as long as the context lasts.

        Raises:
            Busy: Somebody else has one of them for too long.
            StoreUnavailable: The store is away.
        """
        token = uuid4().hex
        try:
            await self._take(event_ids, token)
            yield
        finally:
            with suppress(StoreUnavailable, StoreRefused):  # then they end by themselves
                await self._end(event_ids, token)

    async def _take(self, event_ids: Sequence[str], token: str) -> None:
        ids, deadline = sorted(event_ids), monotonic() + _WAIT_S
        left = ids
        while len(left) > await self._take_free(left, token):
            there = await self._there(left)
            left = [one for one in left if there.get(one) != token]
            if monotonic() > deadline:
                raise Busy("Somebody else is judging the same item at this moment.", hint="Try again.")
            if missing := [one for one in left if one not in there]:
                await self._begin(missing)
            else:
                await self._end(ids, token)  # two that waited with a part in hand would each wait for the other's
                left = ids
                await asyncio.sleep(_PAUSE_S * (0.5 + random.random()))  # noqa: S311 - no secret

    async def _take_free(self, event_ids: Sequence[str], token: str) -> int:
        now = self._clock()
        free: Document = {"_id": {"$in": list(event_ids)}, "$or": [{"turn": None}, {"turn.until": {"$lte": now}}]}
        # The claim's end is brought up to now, so that the sweep leaves the document alone for an hour.
        turn: Document = {"$set": {"turn": {"of": token, "until": now + _LASTS}}, "$max": {"until": now}}
        with self._store.named_errors():
            return int((await self._store.collection(CLAIMS).update_many(free, turn)).matched_count)

    async def _there(self, event_ids: Sequence[str]) -> dict[str, str | None]:
        """Whose turn it is at those of the items that have a document."""
        with self._store.named_errors():
            found = self._store.collection(CLAIMS).find({"_id": {"$in": list(event_ids)}}, {"turn": True})
            return {claim["_id"]: (claim.get("turn") or {}).get("of") async for claim in found}

    async def _begin(self, event_ids: Sequence[str]) -> None:
        now = self._clock()
        empty: Document = {"by": None, "since": now, "until": now, "judged": False}
        await self._store.upsert(
            CLAIMS, [UpdateOne({"_id": one}, {"$setOnInsert": empty}, upsert=True) for one in event_ids]
        )

    async def _end(self, event_ids: Sequence[str], token: str) -> None:
        mine = {"_id": {"$in": list(event_ids)}, "turn.of": token}
        with self._store.named_errors():
            await self._store.collection(CLAIMS).update_many(mine, {"$set": {"turn": None}})
