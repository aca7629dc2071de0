"""When sessions and API keys were last used, noted once a minute; a session lasts longer by it."""

import asyncio
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

from infra.errors import StoreUnavailable
from infra.lease import Clock, utc_now
from infra.store import API_KEYS, SESSIONS, Document, Store
from workers.gateway.accounts.standing import Standing

_EVERY: Final = timedelta(minutes=1)
_WAIT_S: Final = 1.0
_MOST: Final = 10_000


class Uses:
    """Notes them.

    Args:
        store: Where.
        lasts: How long a session lasts from its last use.
        clock: Tells the time.
    """

    def __init__(self, store: Store, lasts: timedelta, clock: Clock = utc_now) -> None:
        self._store = store
        self._lasts = lasts
        self._clock = clock
        self._noted: OrderedDict[str, datetime] = OrderedDict()

    async def note(self, standing: Standing) -> None:
        """Note that one is used now. Where the store is away, it is not noted."""
        now = self._clock()
        identity = standing.who.session or standing.who.key or ""
        last = self._noted.get(identity, standing.used_at)
        if last is not None and now - last < _EVERY:
            return
        self._noted[identity] = now
        self._noted.move_to_end(identity)
        if len(self._noted) > _MOST:
            self._noted.popitem(last=False)
        collection, later = self._change(standing, now)
        try:
            async with asyncio.timeout(_WAIT_S):
                with self._store.named_errors():
                    await self._store.collection(collection).update_one({"_id": identity}, {"$max": later})
        except (StoreUnavailable, TimeoutError):
            return

    def _change(self, standing: Standing, now: datetime) -> tuple[str, Document]:
        if standing.who.key is not None:
            return API_KEYS, {"used_at": now}
        return SESSIONS, {"used_at": now, "expires_at": now + self._lasts}
