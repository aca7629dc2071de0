"""Which items are their product's newest: only these are shown to reviewers."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from infra.store import ITEMS, Store

_AT_A_TIME: Final = 200  # products: the embedded store answers nobody else meanwhile
_FIELDS: Final = dict.fromkeys(("product_id", "product.published_at"), True)


async def newest(store: Store, product_ids: Iterable[str]) -> set[str]:
    """The newest item of each of these products, whatever its state.

    Raises:
        StoreUnavailable: The store is away.
    """
    products = sorted(set(product_ids))
    last: dict[str, tuple[datetime, str]] = {}
    for start in range(0, len(products), _AT_A_TIME):
        query = {"product_id": {"$in": products[start : start + _AT_A_TIME]}}
        with store.named_errors():
            async for one in store.collection(ITEMS).find(query, _FIELDS):
                if "product" in one:
                    place = one["product"]["published_at"], one["_id"]
                    last[one["product_id"]] = max(place, last.get(one["product_id"], place))
    return {event_id for _, event_id in last.values()}
