"""What the store knows of an event that was submitted before, maybe to another gateway or before a restart."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from infra.errors import StoreUnavailable
from infra.store import ITEMS, Document, Store
from infra.stored_items import content_of, has_answer, reviewed
from schemas.content import key_of
from schemas.prediction import Category, Prediction
from schemas.product import Product
from workers.gateway.access import Principal, Right
from workers.gateway.errors import KeyReused, NotClassified

_LOOK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Submitted:
    """An archived item, as far as who submitted it wants to know."""

    item: Document
    category: Callable[[str], Category]

    def check_same(self, product: Product) -> None:
        """Make sure that it is the same product.

        Raises:
            KeyReused: It is another one.
        """
        part = self.item.get("product")
        if part is None:
            return
        if content_of(part) != key_of(product):
            raise KeyReused(
                "This Idempotency-Key was used for another product.", hint="Give each product a key of its own."
            )

    def texts(self) -> tuple[str | None, str | None] | None:
        """The product's title and description; None while the product itself has not been archived."""
        part = self.item.get("product")
        return None if part is None else (part.get("title"), part.get("description"))

    def prediction(self) -> Prediction | None:
        """Its prediction, if there is one; where a person has judged it, the answer that follows from that.

        Raises:
            NotClassified: It became a dead letter.
        """
        if "verdict" in self.item and "product_id" in self.item and has_answer(self.item):
            return reviewed(self.item, self.category)
        part: dict[str, Any] | None = self.item.get("prediction")
        if part is not None:
            fields = {name: value for name, value in part.items() if name != "partition"}
            return Prediction.model_validate(
                {"event_id": self.item["_id"], "product_id": self.item["product_id"], **fields}
            )
        if (reason := self.item.get("dead_letter")) is not None:
            raise NotClassified(f"The product could not be classified ({reason['stage']}): {reason['message']}")
        return None


class Past:
    """Looks events up.

    Args:
        store: Where the archive keeps them.
        category: What a code stands for.
    """

    def __init__(self, store: Store, category: Callable[[str], Category]) -> None:
        self._store = store
        self._category = category

    async def of(self, event_id: str, who: Principal) -> Submitted | None:
        """An event's item, if it is there and the caller's to see.

        Raises:
            StoreUnavailable: The store is away.
        """
        with self._store.named_errors():
            item = await self._store.collection(ITEMS).find_one({"_id": event_id})
        if item is None:
            return None
        mine = item.get("product", {}).get("submitted_by") == who.name
        return Submitted(item, self._category) if mine or who.may(Right.REVIEW) else None

    async def if_there(self, event_id: str, who: Principal) -> Submitted | None:
        """The same; None as well when the store does not say so soon: then it is submitted once more."""
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                return await self.of(event_id, who)
        return None
