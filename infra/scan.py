"""Documents of a collection as they come, so that no more than some are held, here and by the store."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Final

from infra.store import Document, Store

_BATCH: Final = 1_000

Fields = Iterable[str] | Mapping[str, Any]
Order = Sequence[tuple[str, int]]


async def scan(
    store: Store, collection: str, query: Document, fields: Fields = (), order: Order = ()
) -> AsyncIterator[Document]:
    """The documents that a query finds, one by one; for the rest as :func:`batches`."""
    async for documents in batches(store, collection, query, fields, order):
        for document in documents:
            yield document


async def batches(
    store: Store,
    collection: str,
    query: Document,
    fields: Fields = (),
    order: Order = (),
    size: int = _BATCH,
) -> AsyncIterator[list[Document]]:
    """The documents that a query finds, some at a time.

    Args:
        store: Where they are.
        collection: The collection's name.
        query: Which of them.
        fields: The fields that are wanted beside ``_id``, or a projection; all, where none is named.
        order: Fields with their directions; without any, in no order.
        size: So many at a time.

    Raises:
        StoreUnavailable: The store is away.
        StoreRefused: It does not let us in.
    """
    wanted = fields if isinstance(fields, Mapping) else dict.fromkeys(fields, True)
    # The size is said to the store too: left to itself the embedded one puts all into one message, which then is
    # longer than its own limit from about 40,000 items on.
    cursor = store.collection(collection).find(query, wanted or None, sort=list(order) or None).batch_size(size)
    try:
        while True:
            with store.named_errors():
                documents: list[Document] = await cursor.to_list(size)
            if not documents:
                return
            yield documents
    finally:
        await cursor.close()
