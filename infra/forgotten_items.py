"""What the store has of products that are to be forgotten, and taking it out."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from infra.images import ImageStore
from infra.scan import scan
from infra.store import CLAIMS, DLQ_ACTIONS, FEEDBACK, ITEMS, REPLAYS, SHADOW, Document, Store
from infra.stored_items import content_of
from schemas.content import digest_name

_AT_ONCE: Final = 500
_BY_PRODUCT: Final = (SHADOW, REPLAYS)
_BY_EVENT: Final = (DLQ_ACTIONS, SHADOW, REPLAYS, FEEDBACK)
_FIELDS: Final = ("product_id", "product.title", "product.description", "product.image")


@dataclass(slots=True)
class Traces:
    """What there is of some products.

    Args:
        events: Ids of their events.
        verdicts: Ids of what people said of them.
        contents: Keys of the contents that these verdicts are about.
        photos: SHA-256 of the photos that they name in the image store.
        others: Documents of other collections, by collection.
    """

    events: set[str] = field(default_factory=set)
    verdicts: set[str] = field(default_factory=set)
    contents: set[str] = field(default_factory=set)
    photos: set[str] = field(default_factory=set)
    others: Counter[str] = field(default_factory=Counter)


class ForgottenItems:
    """Finds and removes what the store and the image store have of products.

    Args:
        store: The store.
        images: Where photos are.

    Its methods raise StoreUnavailable and StoreRefused as the store does; all may be repeated.
    """

    def __init__(self, store: Store, images: ImageStore) -> None:
        self._store = store
        self._images = images

    async def find(self, product_ids: Collection[str]) -> Traces:
        """All that there is of these products now, dead letters that were never read as a product among it."""
        found, wanted = Traces(), set(product_ids)
        async for item in self._by(ITEMS, "product_id", wanted, _FIELDS):
            found.events.add(item["_id"])
            if "product" in item:
                found.contents.add(content_of(item["product"]))
                found.photos.update(photo_of(item["product"]))
        unread = {"dead_letter.at": {"$exists": True}, "product": {"$exists": False}}
        async for letter in scan(self._store, ITEMS, unread, ("dead_letter.key", "dead_letter.value")):
            if wanted & named_in(letter["dead_letter"].get("key"), letter["dead_letter"].get("value")).products:
                found.events.add(letter["_id"])
        for by, names in (("product_id", wanted), ("event_id", found.events)):
            async for one in self._by(FEEDBACK, by, names, ("content",)):
                found.verdicts.add(one["_id"])
                found.contents.update([one["content"]] if "content" in one else [])
        for collection in _BY_PRODUCT:
            found.others[collection] = await self._count(collection, wanted)
        return found

    async def remove(self, product_ids: Collection[str], traces: Traces) -> None:
        """Remove it: the items last, as by them the rest is found again if this is cut off."""
        await self.remove_photos(traces.photos, traces.events)
        for collection in _BY_PRODUCT:
            await self._delete(collection, "product_id", product_ids)
        await self.remove_verdicts(traces.verdicts)
        await self.remove_events(traces.events)

    async def remove_verdicts(self, ids: Collection[str]) -> None:
        """Remove verdicts by their own ids."""
        await self._delete(FEEDBACK, "_id", ids)

    async def remove_events(self, event_ids: Collection[str]) -> None:
        """Remove all that is known by the id of an event."""
        for collection in _BY_EVENT:
            await self._delete(collection, "event_id", event_ids)
        await self._delete(CLAIMS, "_id", event_ids)
        await self._delete(ITEMS, "_id", event_ids)

    async def remove_photos(self, digests: Iterable[str], of: Collection[str]) -> int:
        """Remove photos that no item names but these, and no set has; how many there were.

        Args:
            digests: SHA-256 of each.
            of: Event ids of items that are about to go.
        """
        removed = 0
        for digest in sorted(digests):
            if not await self._is_named(digest, of):
                removed += await asyncio.to_thread(self._remove, digest)
        return removed

    async def _is_named(self, digest: str, of: Collection[str]) -> bool:
        for name, value in (("product.image.sha256", digest), ("product.image.uri", digest_name(digest))):
            async for item in scan(self._store, ITEMS, {name: value}, ("product_id",)):
                if item["_id"] not in of:
                    return True
        return False

    def _remove(self, digest: str) -> bool:
        path = self._images.path(digest)
        # Sets link the photos that they have: one with a second name is the base set's, or another product's row's.
        if not path.exists() or path.stat().st_nlink > 1:
            return False
        self._images.remove(digest)
        return True

    async def _by(
        self, collection: str, name: str, values: Collection[str], fields: Sequence[str]
    ) -> AsyncIterator[Document]:
        for some in _parts(values):
            async for document in scan(self._store, collection, {name: {"$in": some}}, fields):
                yield document

    async def _count(self, collection: str, product_ids: Collection[str]) -> int:
        count = 0
        for some in _parts(product_ids):
            with self._store.named_errors():
                count += await self._store.collection(collection).count_documents({"product_id": {"$in": some}})
        return count

    async def _delete(self, collection: str, name: str, values: Collection[str]) -> None:
        for some in _parts(values):
            with self._store.named_errors():
                await self._store.collection(collection).delete_many({name: {"$in": some}})


@dataclass(frozen=True, slots=True)
class Named:
    """What a record names."""

    products: set[str]
    events: set[str]


def named_in(key: bytes | None, value: bytes | None) -> Named:
    """The products that a record may be about, by its key and its value, and the event that a verdict is on.

    Nothing needs to be valid: whoever asks wants to find what there is.
    """
    products, events = set[str](), set[str]()
    with suppress(UnicodeDecodeError):
        products.add((key or b"").decode())
    try:
        said: Any = orjson.loads(value or b"null")
    except orjson.JSONDecodeError:
        said = None
    if isinstance(said, dict):
        products |= {str(said[name]) for name in ("product_id", "productid") if name in said}
        events |= {str(said["event_id"])} if said.get("event_id") is not None else set()
    return Named(products - {""}, events)


def photo_of(product: Document) -> Iterator[str]:
    """SHA-256 of the photo of a stored product, if the image store has it."""
    image = product.get("image") or {}
    prefix = digest_name("")
    uri = image.get("uri") or ""
    digest = image.get("sha256") or (uri.removeprefix(prefix) if uri.startswith(prefix) else "")
    if len(digest) == 64 and digest.isalnum():
        yield digest


def _parts(values: Collection[str]) -> Iterator[list[str]]:
    some = sorted(values)
    for start in range(0, len(some), _AT_ONCE):
        yield some[start : start + _AT_ONCE]
