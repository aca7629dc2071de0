"""What people say of predictions, on its way to the items it is about.

Every verdict ever given stays in the collection ``feedback``. One that names an event goes to that item; one
that names only a product means its newest item at that time, which is resolved once and stored so. Until
there is such an item the verdict is parked.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from aiokafka.structs import ConsumerRecord
from pymongo import DESCENDING, UpdateOne

from infra.store import FEEDBACK, ITEMS, Store
from schemas.feedback import Feedback
from streams.items import Part, record_time, upserts

Document = dict[str, Any]


def feedback_document(feedback: Feedback, record: ConsumerRecord, event_id: str) -> Document:
    """The verdict as stored: ``at`` is never later than the record's own timestamp."""
    recorded = record_time(record)
    given: Document = {"code": feedback.code, "note": feedback.note, "product_id": feedback.product_id}
    return {
        "_id": feedback.feedback_id or event_id,
        "at": min(feedback.at, recorded) if feedback.at else recorded,
        "event_id": feedback.event_id,
        "verdict": feedback.verdict,
        "by": feedback.by,
        **{name: value for name, value in given.items() if value is not None},
    }


class Verdicts:
    """Keeps verdicts and brings each to its item.

    Args:
        store: Where items and feedback are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, documents: Iterable[Document]) -> None:
        """Store verdicts, the first of each id, and bring the stored ones that name an event to their items.

        Raises:
            StoreUnavailable: The store is away; everything may be repeated.
        """
        documents = sorted(documents, key=lambda document: str(document["_id"]))
        await self._store.upsert(FEEDBACK, [_first(document) for document in documents])
        ids = [document["_id"] for document in documents]
        await self._write(await self._find({"_id": {"$in": ids}, "event_id": {"$ne": None}}))

    async def resolve(self, product_ids: Iterable[str]) -> None:
        """Bring parked verdicts on these products to their items, where there is one by now.

        Raises:
            StoreUnavailable: The store is away; everything may be repeated.
        """
        wanted = sorted(set(product_ids))
        if not wanted:
            return
        for document in await self._find({"parked": True, "product_id": {"$in": wanted}}):
            event_id = await self._newest_item(document["product_id"], document["at"])
            if event_id is not None:
                # The choice is stored before it is used: whoever repeats this makes no other.
                choice = {"$set": {"event_id": event_id, "parked": False}}
                with self._store.named_errors():
                    await self._store.collection(FEEDBACK).update_one({"_id": document["_id"], "parked": True}, choice)
                await self._write([document | {"event_id": event_id}])

    async def _find(self, query: Document) -> list[Document]:
        with self._store.named_errors():
            return [document async for document in self._store.collection(FEEDBACK).find(query)]

    async def _newest_item(self, product_id: str, at: datetime) -> str | None:
        with self._store.named_errors():
            item = await self._store.collection(ITEMS).find_one(
                {"product_id": product_id, "product.published_at": {"$lte": at}},
                projection={"_id": True},
                sort=[("product.published_at", DESCENDING), ("_id", DESCENDING)],
            )
        return None if item is None else str(item["_id"])

    async def _write(self, documents: Iterable[Document]) -> None:
        await self._store.upsert(ITEMS, upserts(verdict_part(document) for document in documents))


def verdict_part(document: Document) -> Part:
    """The latest verdict on an item; of two at one time, the one with the greater id."""
    part: Document = {
        "at": document["at"],
        "feedback_id": document["_id"],
        **{name: document[name] for name in ("verdict", "code", "by", "note") if name in document},
    }
    return Part(document["event_id"], "$max", "verdict", part)


def _first(document: Document) -> UpdateOne:
    fields = {name: value for name, value in document.items() if name != "_id"}
    fields["parked"] = document["event_id"] is None
    return UpdateOne({"_id": document["_id"]}, {"$setOnInsert": fields}, upsert=True)
