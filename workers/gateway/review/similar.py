"""Items like another: of the same predicted category, with a title of mostly the same words, or the same content."""

import re
from typing import Final

from infra.store import ITEMS, Document, Store
from infra.stored_items import content_of
from schemas.ids import is_canary
from workers.gateway.items.choice import PENDING
from workers.gateway.items.view import LISTED
from workers.gateway.review.claims import Claims
from workers.gateway.review.newest import newest

CANDIDATES: Final = 1_000
"""Waiting items of the category that are compared."""

LEAST_SHARED: Final = 0.5
"""Words in both titles, as a part of the words in either (Jaccard)."""

_BATCH: Final = 100
_COMPARED: Final = dict.fromkeys(("product_id", "product.title", "product.description", "product.image"), True)
_WORD = re.compile(r"\w+")


async def similar_items(store: Store, claims: Claims, item: Document, who: str, limit: int) -> list[Document]:
    """Waiting items like this one, each its product's newest, most alike first; none that another reviewer has.

    Raises:
        StoreUnavailable: The store is away.
    """
    code = item.get("prediction", {}).get("category", {}).get("code")
    if code is None or "product" not in item:
        return []
    query = PENDING | {"prediction.category.code": code}
    words, content = _words(item), content_of(item["product"])
    with store.named_errors():
        found = store.collection(ITEMS).find(query, _COMPARED).limit(CANDIDATES).batch_size(_BATCH)
        others = {
            one["_id"]: one
            async for one in found
            if one["_id"] != item["_id"] and "product" in one and not is_canary(one.get("product_id"))
        }
    alike = {key: _likeness(words, content, one) for key, one in others.items()}
    near = sorted((key for key, share in alike.items() if share >= LEAST_SHARED), key=lambda key: (-alike[key], key))
    last = await newest(store, (others[key]["product_id"] for key in near))
    known = await claims.known(last)
    free = [key for key in near if key in last and not claims.is_anothers(known.get(key), who)][:limit]
    with store.named_errors():
        whole = {one["_id"]: one async for one in store.collection(ITEMS).find({"_id": {"$in": free}}, LISTED)}
    return [whole[key] for key in free if key in whole]


def _likeness(words: set[str], content: str, other: Document) -> float:
    if content_of(other["product"]) == content:
        return 1.0
    others = _words(other)
    return len(words & others) / len(words | others) if words and others else 0.0


def _words(item: Document) -> set[str]:
    return set(_WORD.findall((item["product"].get("title") or "").casefold()))
