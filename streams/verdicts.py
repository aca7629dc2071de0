"""What people say of predictions, on its way to the items it is about.

Every verdict ever given stays in the collection ``feedback``. One that names an event goes to that item; one
that names only a product means its newest item at that time, which is resolved once and stored so. A verdict is
parked until there is such an item, and until all that follows from it has been told.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
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

    Its methods raise StoreUnavailable when the store is away; everything may then be repeated.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, documents: Iterable[Document]) -> list[Document]:
        """Store verdicts, the first of each id, and bring the stored ones that name an event to their items.

        Returns:
            The verdicts with these ids as they are stored.
        """
        documents = sorted(documents, key=lambda document: str(document["_id"]))
        await self._store.upsert(FEEDBACK, [_first(document) for document in documents])
        stored = await self._find({"_id": {"$in": [document["_id"] for document in documents]}})
        await self._write(document for document in stored if document["event_id"] is not None)
        return stored

    async def parked(self, event_ids: Iterable[str], product_ids: Iterable[str]) -> list[Document]:
        """The parked verdicts on these events, and on items of these products, which they name from now on."""
        products = {"event_id": None, "product_id": {"$in": sorted(set(product_ids))}}
        found = await self._find(
            {"parked": True, "$or": [{"event_id": {"$in": sorted(set(event_ids))}}, products]},
        )
        named = [document for document in found if document["event_id"] is not None]
        chosen = [await self._choose(document) for document in found if document["event_id"] is None]
        resolved = [document for document in chosen if document is not None]
        await self._write(resolved)
        return named + resolved

    async def bind(self, contents: Iterable[tuple[Document, str]]) -> None:
        """Note which content each verdict is about, and since when that is known.

        ``known_at`` is this machine's time: by it is counted what came since a training, whenever it was given.
        """
        by_id = sorted(((document["_id"], content) for document, content in contents), key=lambda one: str(one[0]))
        since = {"$min": {"known_at": datetime.now(UTC)}}
        changes = [UpdateOne({"_id": key}, {"$set": {"content": content}} | since) for key, content in by_id]
        await self._store.upsert(FEEDBACK, changes)

    async def release(self, documents: Iterable[Document]) -> None:
        """Note that all that follows from these verdicts has been told."""
        await self._update((document["_id"], {"parked": False}) for document in documents)

    async def on_contents(self, contents: Iterable[str]) -> list[Document]:
        """The verdicts that are known to be about these contents."""
        return await self._find({"content": {"$in": sorted(set(contents))}})

    async def _choose(self, document: Document) -> Document | None:
        """The verdict with the item that it means, or None while there is none."""
        event_id = await self._newest_item(document["product_id"], document["at"])
        if event_id is None:
            return None
        # The choice is stored before it is used: whoever repeats this, or does it at the same time, makes no other.
        with self._store.named_errors():
            await self._store.collection(FEEDBACK).update_one(
                {"_id": document["_id"], "event_id": None}, {"$set": {"event_id": event_id}}
            )
        (stored,) = await self._find({"_id": {"$in": [document["_id"]]}})
        return stored

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

    async def _update(self, changes: Iterable[tuple[str, Document]]) -> None:
        by_id = sorted(changes, key=lambda change: change[0])
        await self._store.upsert(FEEDBACK, [UpdateOne({"_id": key}, {"$set": fields}) for key, fields in by_id])


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
    return UpdateOne({"_id": document["_id"]}, {"$setOnInsert": fields | {"parked": True}}, upsert=True)
