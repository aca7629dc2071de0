"""Documents of a collection as they come, so that no more than some are held."""

from collections.abc import AsyncIterator, Iterable
from typing import Final

from infra.store import Document, Store

_BATCH: Final = 1_000


async def scan(store: Store, collection: str, query: Document, fields: Iterable[str]) -> AsyncIterator[Document]:
    """The documents that a query finds, in no order.

    Args:
        store: Where they are.
        collection: The collection's name.
        query: Which of them.
        fields: The fields that are wanted beside ``_id``.

    Raises:
        StoreUnavailable: The store is away.
        StoreRefused: It does not let us in.
    """
    cursor = store.collection(collection).find(query, dict.fromkeys(fields, True))
    while True:
        with store.named_errors():
            documents: list[Document] = await cursor.to_list(_BATCH)
        if not documents:
            return
        for document in documents:
            yield document
