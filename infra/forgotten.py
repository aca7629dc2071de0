"""What was forgotten by request: which products and events are not to come back.

Kept as keyed hashes (HMAC-SHA256), with the key beside them in the store: whoever asks about a product can be told,
and no list of products can be read off. An event that was there before the erasure is known by its id, or else by its
product and a time before the erasure. An event after it is a new one.
"""

import hmac
from collections.abc import Iterable
from datetime import datetime
from secrets import token_bytes
from typing import Final
from uuid import uuid4

from bson import Binary
from pymongo import UpdateOne

from infra.lease import utc_now
from infra.scan import scan
from infra.store import FORGOTTEN, Document, Store

STATE: Final = "state"
"""Id of the document with the key, and with a mark that changes whenever something is forgotten."""

_BATCH: Final = 1_000


class Forgotten:
    """What was forgotten, in memory, as of the last `refresh`.

    Args:
        store: Where it is kept.

    Methods that ask the store raise StoreUnavailable and StoreRefused as it does.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key = b""
        self._mark: str | None = None
        self._known: dict[str, datetime] = {}

    def __bool__(self) -> bool:
        """Whether anything was ever forgotten."""
        return bool(self._known)

    async def refresh(self) -> bool:
        """Read what was forgotten since; says whether anything was. Costs one small read where nothing was."""
        with self._store.named_errors():
            state = await self._store.collection(FORGOTTEN).find_one({"_id": STATE})
        if state is None or state.get("mark") == self._mark:
            return False
        known = {}
        async for one in scan(self._store, FORGOTTEN, {"at": {"$exists": True}}, ("at",)):
            known[one["_id"]] = one["at"]
        # The mark of before the scan: what came meanwhile has another one, and is read again.
        self._key, self._mark, self._known = bytes(state["key"]), state.get("mark"), known
        return True

    def knows_event(self, event_id: str | None) -> bool:
        """Whether an event is one of those that were erased."""
        return bool(self._known) and event_id is not None and self._hash("event", event_id) in self._known

    def knows_product(self, product_id: str | None, at: datetime | None) -> bool:
        """Whether a product was forgotten, by request of that time or of a later one.

        Args:
            product_id: The product.
            at: When the event was; None: at no time that is known, so that any request counts.
        """
        if not self._known or product_id is None:
            return False
        until = self._known.get(self._hash("product", product_id))
        return until is not None and (at is None or at <= until)

    async def add_products(self, product_ids: Iterable[str], at: datetime) -> None:
        """Note that products are forgotten, before anything of them is deleted; the latest request counts."""
        await self._add("product", product_ids, at)

    async def add_events(self, event_ids: Iterable[str]) -> None:
        """Note that events were erased."""
        await self._add("event", event_ids, utc_now())

    async def _add(self, kind: str, names: Iterable[str], at: datetime) -> None:
        await self._make_key()
        hashes = sorted({self._hash(kind, name) for name in names})
        for start in range(0, len(hashes), _BATCH):
            some = hashes[start : start + _BATCH]
            changes = [UpdateOne({"_id": one}, {"$max": {"at": at}}, upsert=True) for one in some]
            await self._store.upsert(FORGOTTEN, changes)
        if hashes:  # last, so that whoever sees the mark finds what it stands for
            await self._set({"$set": {"mark": uuid4().hex}})
            await self.refresh()

    async def _make_key(self) -> None:
        if not self._key:
            await self._set({"$setOnInsert": {"key": Binary(token_bytes(32))}})
            with self._store.named_errors():
                state = await self._store.collection(FORGOTTEN).find_one({"_id": STATE})
            self._key = bytes(state["key"]) if state is not None else b""

    async def _set(self, change: Document) -> None:
        await self._store.upsert(FORGOTTEN, [UpdateOne({"_id": STATE}, change, upsert=True)])

    def _hash(self, kind: str, name: str) -> str:
        return hmac.digest(self._key, f"{kind}/{name}".encode("utf-8", "surrogatepass"), "sha256").hex()
