"""Taking an item out of the archive."""

import asyncio

from infra.images import ImageStore
from infra.store import CLAIMS, ITEMS, Document, Store
from schemas.content import digest_name
from workers.gateway.access import Principal
from workers.gateway.audit import Audit
from workers.gateway.items.view import state_of


async def remove_item(
    store: Store, images: ImageStore, document: Document, who: Principal, request_id: str | None
) -> None:
    """Remove an item's document, and its photo from the image store if no other item names it; noted first.

    The topics keep their records until these are too old, and what people said of it stays in the log of feedback.

    Raises:
        StoreUnavailable: The store is away; what was not done can be done again.
    """
    image = document.get("product", {}).get("image") or {}
    before = {"product_id": document.get("product_id"), "state": state_of(document), "photo": image.get("sha256")}
    await Audit(store).note(who, "item.delete", document["_id"], before=before, request_id=request_id)
    with store.named_errors():
        await store.collection(ITEMS).delete_one({"_id": document["_id"]})
        await store.collection(CLAIMS).delete_one({"_id": document["_id"]})
    digest = image.get("sha256") or _digest_in(image.get("uri"))
    if digest is not None and not await _is_named(store, digest):
        await asyncio.to_thread(images.remove, digest)


async def _is_named(store: Store, digest: str) -> bool:
    named = [{"product.image.sha256": digest}, {"product.image.uri": digest_name(digest)}]
    with store.named_errors():
        return await store.collection(ITEMS).find_one({"$or": named}, {"_id": True}) is not None


def _digest_in(uri: str | None) -> str | None:
    prefix = digest_name("")
    digest = (uri or "").removeprefix(prefix)
    return digest if uri is not None and uri.startswith(prefix) and digest.isalnum() and len(digest) == 64 else None
