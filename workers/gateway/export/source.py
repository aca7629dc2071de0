"""Reading all items or verdicts, some at a time."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from infra.scan import batches
from infra.store import FEEDBACK, ITEMS, Document, Store
from model.shelves import TaxonomyInForce
from schemas.ids import is_canary
from workers.gateway.export.rows import Row, What, item_row, verdict_row
from workers.gateway.items.view import LISTED

BATCH: Final = 500
_OF_ITEMS: Final = ("product_id", "product.title", "prediction.category", "prediction.confidence", "prediction.model")


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """What is exported.

    Args:
        what: Items or verdicts.
        since: Only items published, or verdicts given, then or later.
        model: Only those predicted by this version.
    """

    what: What
    since: datetime | None = None
    model: str | None = None


class Source:
    """The rows of a store, without those about the monitor's own products.

    Args:
        store: Where items and verdicts are.
        shelves: What codes stand for.

    Its methods raise StoreUnavailable and StoreRefused as the store does.
    """

    def __init__(self, store: Store, shelves: TaxonomyInForce) -> None:
        self._store = store
        self._shelves = shelves

    async def count(self, choice: ExportChoice) -> int:
        """How many rows there are, about."""
        with self._store.named_errors():
            name = ITEMS if choice.what == "items" else FEEDBACK
            return await self._store.collection(name).estimated_document_count()

    async def batches(self, choice: ExportChoice) -> AsyncIterator[list[Row]]:
        """The rows, in no order, at most `BATCH` at a time."""
        read = self._items if choice.what == "items" else self._verdicts
        async for rows in read(choice):
            yield rows

    async def _items(self, choice: ExportChoice) -> AsyncIterator[list[Row]]:
        query: Document = {} if choice.since is None else {"product.published_at": {"$gte": choice.since}}
        if choice.model is not None:
            query["prediction.model.version"] = choice.model
        async for documents in batches(self._store, ITEMS, query, LISTED, size=BATCH):
            some = [one for one in documents if not is_canary(one.get("product_id"))]
            yield [item_row(one, self._shelves.category) for one in some]

    async def _verdicts(self, choice: ExportChoice) -> AsyncIterator[list[Row]]:
        query: Document = {} if choice.since is None else {"at": {"$gte": choice.since}}
        async for documents in batches(self._store, FEEDBACK, query, size=BATCH):
            items = await self._about({one["event_id"] for one in documents if one["event_id"] is not None})
            rows = [verdict_row(one, items.get(one["event_id"], {})) for one in documents]
            wanted = [row for row in rows if choice.model is None or row["model_version"] == choice.model]
            yield [row for row in wanted if not is_canary(_text(row["product_id"]))]

    async def _about(self, event_ids: set[str]) -> dict[str, Document]:
        with self._store.named_errors():
            cursor = self._store.collection(ITEMS).find(
                {"_id": {"$in": sorted(event_ids)}}, dict.fromkeys(_OF_ITEMS, True)
            )
            return {one["_id"]: one async for one in cursor}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
