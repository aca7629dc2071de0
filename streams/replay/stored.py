"""Events that the store holds: dead letters as they came, and the products of items."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from pymongo import ASCENDING

from infra.dead_letters import UNSETTLED, Choice, DeadLetters
from infra.errors import RetryRefused
from infra.retry import record_of
from infra.store import ITEMS, Document, Store
from schemas import headers as names
from schemas.content import digest_name
from schemas.dead_letter import DeadLetter
from schemas.topics import PRODUCTS_IN
from streams.replay.event import Event, Positions
from streams.replay.topic import milliseconds

_PART: Final = "items"
_BATCH: Final = 500
_FIELDS: Final = ("product_id", "product")


@dataclass(slots=True)
class LetterSource:
    """Products that became dead letters and have no prediction.

    Args:
        letters: Where they are.
        choice: Which of them.
        max_attempts: One that was tried so often is passed over.
    """

    letters: DeadLetters
    choice: Choice
    max_attempts: int
    passed_over: Counter[str] = field(default_factory=Counter)
    _ids: list[str] | None = field(default=None, init=False)

    async def total(self) -> int:
        """How many there are now."""
        return len(await self._found())

    async def events(self, after: Positions) -> AsyncIterator[Event]:
        """The letters by their ids."""
        last = str(after.get(_PART, ""))
        async for letter in self.letters.read([one for one in await self._found() if one > last]):
            if letter.reason.topic != PRODUCTS_IN:
                self.passed_over["no product"] += 1
                continue
            try:
                record = await record_of(letter, _nothing, self.max_attempts)
            except RetryRefused:
                self.passed_over["not to be sent again"] += 1
                continue
            yield Event(
                event_id=letter.event_id,
                key=record.key,
                value=record.value,
                headers=record.headers,
                origin=f"{letter.reason.topic}/{letter.reason.partition}/{letter.reason.offset}",
                part=_PART,
                position=letter.event_id,
                at_ms=letter.reason.timestamp_ms,
                partition=record.partition,
                timestamp_ms=record.timestamp_ms,
            )

    async def _found(self) -> list[str]:
        if self._ids is None:
            self._ids = sorted([letter.event_id async for letter in self.letters.find(self.choice, UNSETTLED)])
        return self._ids


async def _nothing(_reason: DeadLetter) -> None:
    """A value that was too large for the store is looked for by `aisle dlq retry`."""


@dataclass(slots=True)
class ItemSource:
    """The products of items. Their values are written anew, with the same content under the same event id.

    Args:
        store: Where the items are.
        query: Which of them, as a query of the store.
    """

    store: Store
    query: Document
    passed_over: Counter[str] = field(default_factory=Counter)

    async def total(self) -> int:
        """How many there are now."""
        with self.store.named_errors():
            found: int = await self.store.collection(ITEMS).count_documents(self._asked({}))
        return found

    async def events(self, after: Positions) -> AsyncIterator[Event]:
        """The items by their ids."""
        behind = dict(after)
        while True:  # a page at a time: a cursor would not outlive a slow pace
            with self.store.named_errors():
                cursor = self.store.collection(ITEMS).find(self._asked(behind), dict.fromkeys(_FIELDS, True))
                documents: list[Document] = await cursor.sort([("_id", ASCENDING)]).limit(_BATCH).to_list(_BATCH)
            for document in documents:
                yield _event(document)
            if len(documents) < _BATCH:
                return
            behind[_PART] = documents[-1]["_id"]

    def _asked(self, after: Positions) -> Document:
        behind = {"_id": {"$gt": after[_PART]}} if _PART in after else {}
        return {"product.published_at": {"$exists": True}, **self.query, **behind}


def _event(document: Document) -> Event:
    product_id, product = document["product_id"], document["product"]
    return Event(
        event_id=document["_id"],
        key=product_id.encode(),
        value=orjson.dumps(dict(_fields(product_id, product))),
        headers=[(names.CE_TYPE, names.PRODUCT_TYPE.encode()), (names.CONTENT_TYPE, b"application/json")],
        origin=f"items/{document['_id']}",
        part=_PART,
        position=document["_id"],
        at_ms=milliseconds(product["published_at"]),
    )


def _fields(product_id: str, product: Document) -> Iterable[tuple[str, Any]]:
    yield "product_id", product_id
    for name in ("title", "description", "submitted_by"):
        if product.get(name) is not None:
            yield name, product[name]
    image = product.get("image") or {}
    if uri := image.get("uri") or (digest_name(image["sha256"]) if "sha256" in image else None):
        yield "image", {"uri": uri}
    if product.get("attributes"):
        yield "attributes", {pair["name"]: pair["value"] for pair in product["attributes"]}
