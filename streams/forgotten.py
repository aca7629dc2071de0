"""What was forgotten by request stays out of the store, whatever brings it again: a replay, a retry, a rebalance."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from infra.forgotten import Forgotten
from infra.forgotten_items import ForgottenItems, named_in, photo_of
from infra.images import ImageStore
from infra.logging import get_logger
from infra.scan import scan
from infra.store import FEEDBACK, Store
from schemas.shadow import ShadowPrediction
from streams.items import Document, Part

if TYPE_CHECKING:
    from streams.archive import Writes

_LAST_MS: Final = 253_402_300_799_000  # 9999-12-31, where Python's calendar ends

logger = get_logger(__name__)


def time_of(timestamp_ms: int) -> datetime:
    """The time of a record, whatever its producer gave for milliseconds since 1970."""
    return datetime.fromtimestamp(min(max(timestamp_ms, 0), _LAST_MS) / 1000, UTC)


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
        self._store = store
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
        if held := [part for part in writes.items if self._holds(part)]:
            await self._erase(held, [part for part in writes.items if not self._holds(part)])
        await self._erase_said(
            [one for one in writes.feedback if self._holds_verdict(one)],
            [one.event_id for one in writes.shadow if self._holds_score(one)],
        )
        return replace(
            writes,
            items=[part for part in writes.items if not self._holds(part)],
            feedback=[one for one in writes.feedback if not self._holds_verdict(one)],
            shadow=[one for one in writes.shadow if not self._holds_score(one)],
        )

    async def _erase(self, held: list[Part], others: list[Part]) -> None:
        events = {part.event_id for part in held}
        # Known first: an answer that another archive is about to write is then removed by it, or here.
        await self._forgotten.add_events(event for event in events if not self._forgotten.knows_event(event))
        # Others of the batch may not be written yet: nobody could tell from the store that they have the same photo.
        await self._items.remove_photos(_photos(held) - _photos(others), events)
        await self._items.remove_events(events)
        logger.info("not archived, as it was forgotten by request", events=len(events))

    async def _erase_said(self, verdicts: list[Document], scored: list[str]) -> None:
        """Remove verdicts and answers in the shadow that were written before it was known that they are not to be."""
        if ids := [one["_id"] for one in verdicts]:
            # As they are stored: who gives a verdict the id of another one does not take that away.
            found = scan(self._store, FEEDBACK, {"_id": {"$in": ids}}, ("event_id", "product_id", "at"))
            await self._items.remove_verdicts([one["_id"] async for one in found if self._holds_verdict(one)])
        events = {*scored, *(one["event_id"] for one in verdicts)}
        await self._items.remove_events({one for one in events if self._forgotten.knows_event(one)})

    def _holds(self, part: Part) -> bool:
        if self._forgotten.knows_event(part.event_id):
            return True
        if part.name == "dead_letter":
            at = time_of(part.value["timestamp_ms"])
            products = named_in(part.value.get("key"), part.value.get("value")).products
            return any(self._forgotten.knows_product(one, at) for one in products)
        at = part.value["published_at" if part.name == "product" else "classified_at"]
        return self._forgotten.knows_product(part.product_id, at)

    def _holds_verdict(self, document: Document) -> bool:
        if self._forgotten.knows_event(document["event_id"]):
            return True
        return self._forgotten.knows_product(document.get("product_id"), document["at"])

    def _holds_score(self, score: ShadowPrediction) -> bool:
        by_product = self._forgotten.knows_product(score.product_id, score.scored_at)
        return by_product or self._forgotten.knows_event(score.event_id)


def _photos(parts: list[Part]) -> set[str]:
    return {digest for part in parts if part.name == "product" for digest in photo_of(part.value)}
