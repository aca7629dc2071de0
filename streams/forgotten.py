"""What was forgotten by request stays out of the store, whatever brings it again: a replay, a retry, a rebalance."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from infra.forgotten import Forgotten
from infra.forgotten_items import ForgottenItems, named_in, photo_of
from infra.images import ImageStore
from infra.logging import get_logger
from infra.store import Store
from schemas.shadow import ShadowPrediction
from streams.items import Part

if TYPE_CHECKING:
    from streams.archive import Writes

logger = get_logger(__name__)


class Sieve:
    """Holds back what the archive is not to write.

    An event is held back by its id, or by its product if it is of before the erasure: a product by its record's time,
    a dead letter by that of the record it was. The answer to an event of which nothing is known yet may be written,
    and goes when its product comes, which is in the topics before it.

    Args:
        store: Where it is kept what was forgotten.
        images: Where photos are.
    """

    def __init__(self, store: Store, images: ImageStore) -> None:
        self._forgotten = Forgotten(store)
        self._items = ForgottenItems(store, images)

    async def changed(self) -> bool:
        """Whether anything was forgotten since this was asked last; what was written meanwhile is to be written anew.

        Raises:
            StoreUnavailable: The store is away.
        """
        return await self._forgotten.refresh()

    async def passed(self, writes: "Writes") -> "Writes":
        """What may be written; of what may not, the traces that came before it are removed.

        Raises:
            StoreUnavailable: The store is away; may be repeated.
        """
        if not self._forgotten:
            return writes
        held = [part for part in writes.items if self._holds(part)]
        if held:
            await self._erase(held)
        return replace(
            writes,
            items=[part for part in writes.items if not self._holds(part)],
            feedback=[one for one in writes.feedback if not self._holds_verdict(one)],
            shadow=[one for one in writes.shadow if not self._holds_score(one)],
        )

    async def _erase(self, held: list[Part]) -> None:
        events = {part.event_id for part in held}
        # Known first: an answer that another archive is about to write is then removed by it, or here.
        await self._forgotten.add_events(event for event in events if not self._forgotten.knows_event(event))
        photos = {digest for part in held if part.name == "product" for digest in photo_of(part.value)}
        await self._items.remove_photos(photos, events)
        await self._items.remove_events(events)
        logger.info("not archived, as it was forgotten by request", events=len(events))

    def _holds(self, part: Part) -> bool:
        if self._forgotten.knows_event(part.event_id):
            return True
        if part.name == "dead_letter":
            at = datetime.fromtimestamp(max(part.value["timestamp_ms"], 0) / 1000, UTC)
            products = named_in(part.value.get("key"), part.value.get("value")).products
            return any(self._forgotten.knows_product(one, at) for one in products)
        at = part.value["published_at" if part.name == "product" else "classified_at"]
        return self._forgotten.knows_product(part.product_id, at)

    def _holds_verdict(self, document: dict[str, Any]) -> bool:
        if self._forgotten.knows_event(document["event_id"]):
            return True
        return self._forgotten.knows_product(document.get("product_id"), document["at"])

    def _holds_score(self, score: ShadowPrediction) -> bool:
        by_product = self._forgotten.knows_product(score.product_id, score.scored_at)
        return by_product or self._forgotten.knows_event(score.event_id)
