"""The review queue: items that wait for a person, least sure first, each to one reviewer at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pymongo import ASCENDING

from infra.store import CLAIMS, ITEMS, Document, Store
from schemas.ids import is_canary
from workers.gateway.items.choice import PENDING
from workers.gateway.items.view import LISTED, state_of
from workers.gateway.review.claims import Claims
from workers.gateway.review.newest import newest
from workers.gateway.review.pool import Pool

POOL: Final = 150
"""Items that are kept at hand, beside those that reviewers have before them."""

_LOOKED_AT: Final = 100
_POOLS: Final = 50
_WINDOWS: Final = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, None)
"""Confidences up to which is looked, until there are enough: the embedded store sorts all that a query finds."""

_CONFIDENCE: Final = "prediction.confidence"
_STATE: Final = dict.fromkeys(("verdict.verdict", "prediction.needs_review", "dead_letter.at"), True)
_FIELDS: Final = dict.fromkeys(("product_id", "product.published_at", _CONFIDENCE), True)


@dataclass(frozen=True, slots=True)
class QueueChoice:
    """Which items wait in the queue, as predicted; None means any.

    Args:
        category: Code of the predicted category.
        theme: Its theme.
        model_version: The model that predicted.
    """

    category: str | None = None
    theme: str | None = None
    model_version: str | None = None

    def query(self) -> Document:
        """The same as a query."""
        named = {
            "prediction.category.code": self.category,
            "prediction.category.theme": self.theme,
            "prediction.model.version": self.model_version,
        }
        return PENDING | {name: value for name, value in named.items() if value is not None}


class ReviewQueue:
    """Hands out items.

    Args:
        store: Where the items are.
        claims: Who has which.

    Its methods raise StoreUnavailable and StoreRefused as the store does.
    """

    def __init__(self, store: Store, claims: Claims) -> None:
        self._store = store
        self._claims = claims
        self._pools: dict[QueueChoice, Pool] = {}
        self._enough: dict[QueueChoice, int] = {}

    async def next(self, who: str, count: int, choice: QueueChoice) -> list[Document]:
        """Claim items for a reviewer, least sure first; fewer when there are no more.

        What the reviewer has claimed before stays claimed, and is not given again.
        """
        await self._claims.sweep()
        await self._claims.renew(who)
        pool = self._pool(choice)
        ids = await pool.get()
        given, seen = await self._hand_out(ids, who, count)
        if len(given) < count:
            more, _ = await self._hand_out(await pool.get(anew=True), who, count - len(given))
            given += more
        elif len(ids) - seen < POOL // 3:
            pool.refresh()  # soon there is nothing left of it
        return given

    async def claim(self, who: str, event_ids: Sequence[str]) -> list[str]:
        """Claim just these items; returns those that wait and that nobody else has."""
        taken = await self._claims.take_named(list(dict.fromkeys(event_ids)), who)
        return [one["_id"] for one in await self._still_pending(taken, who, _STATE)]

    def _pool(self, choice: QueueChoice) -> Pool:
        if choice not in self._pools:
            if len(self._pools) >= _POOLS:
                self._pools.clear()
                self._enough.clear()
            self._pools[choice] = Pool(lambda: self._least_sure(choice))
        return self._pools[choice]

    async def _hand_out(self, pool: Sequence[str], who: str, count: int) -> tuple[list[Document], int]:
        """Items of a pool, now this reviewer's, and how far it was looked through."""
        given: list[Document] = []
        for start in range(0, len(pool), _LOOKED_AT):
            some = pool[start : start + _LOOKED_AT]
            known = await self._claims.known(some)
            free = [event_id for event_id in some if self._claims.is_free(known.get(event_id), who)]
            while free and len(given) < count:
                wanted, free = free[: count - len(given)], free[count - len(given) :]
                given += await self._still_pending(await self._claims.take(wanted, who, known), who)
            if len(given) == count:
                return given, start + len(some) - len(free)
        return given, len(pool)

    async def _least_sure(self, choice: QueueChoice) -> list[str]:
        """Items that wait and that nobody has, least sure first; enough of them that some are free, or all."""
        with self._store.named_errors():
            busy = await self._store.collection(CLAIMS).estimated_document_count()
        size, window = POOL + busy, max(0, self._enough.get(choice, 0) - 1)
        while True:
            documents = await self._waiting(choice, size, _WINDOWS[window])
            shown = [one for one in documents if "product" in one and not is_canary(one.get("product_id"))]
            last = await newest(self._store, (one["product_id"] for one in shown))
            known = await self._claims.known(last)
            found = [key for one in shown if (key := one["_id"]) in last and not self._claims.is_held(known.get(key))]
            full = len(documents) == size
            if len(found) >= POOL // 2 or (_WINDOWS[window] is None and not full):
                self._enough[choice] = window  # the next look begins one before this
                return found
            if full:
                size *= 4  # of a product that was sent often, most items are not its newest
            else:
                window += 1

    async def _waiting(self, choice: QueueChoice, limit: int, most: float | None) -> list[Document]:
        # The confidence first, as it leaves the most out: the embedded store looks at the conditions in their order.
        query = ({} if most is None else {_CONFIDENCE: {"$lte": most}}) | choice.query()
        with self._store.named_errors():
            found = self._store.collection(ITEMS).find(query, _FIELDS).sort(_CONFIDENCE, ASCENDING).limit(limit)
            documents: list[Document] = await found.to_list(limit)
        return documents

    async def _still_pending(self, event_ids: Sequence[str], who: str, fields: Document = LISTED) -> list[Document]:
        """Claimed items; one that was judged meanwhile is given back."""
        if not event_ids:
            return []
        with self._store.named_errors():
            found = self._store.collection(ITEMS).find({"_id": {"$in": list(event_ids)}}, fields)
            documents = {one["_id"]: one async for one in found}
        gone = [key for key in event_ids if key not in documents or state_of(documents[key]) != "pending"]
        if gone:
            await self._claims.release(who, gone)
        return [documents[key] for key in event_ids if key not in gone]
