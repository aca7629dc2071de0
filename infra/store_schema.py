"""What a store has to have before anybody works with it: documents of this release, and indexes."""

from typing import Final

from pymongo import ASCENDING, DESCENDING, IndexModel

from infra.migrations import migrate
from infra.store import (
    API_KEYS,
    AUDIT,
    CLAIMS,
    DLQ_ACTIONS,
    FEEDBACK,
    ITEMS,
    JOBS,
    MONITOR,
    REPLAYS,
    RUNS,
    SESSIONS,
    SHADOW,
    Store,
)

INDEXES: Final = {
    ITEMS: (
        IndexModel([("product_id", ASCENDING), ("product.published_at", DESCENDING)]),
        IndexModel(
            [
                ("prediction.needs_review", DESCENDING),
                ("verdict.verdict", ASCENDING),
                ("prediction.confidence", ASCENDING),
            ]
        ),
        # Lists go by time and then by id: an index that ends before the id would leave the sorting of all to the query.
        IndexModel(
            [("dead_letter.at", DESCENDING), ("_id", DESCENDING)],
            partialFilterExpression={"dead_letter.at": {"$exists": True}},
        ),
        IndexModel([("product.published_at", DESCENDING), ("_id", DESCENDING)]),
        IndexModel([("verdict.at", DESCENDING)], sparse=True),
        IndexModel([("product.submitted_by", ASCENDING)], sparse=True),
    ),
    FEEDBACK: (
        IndexModel([("parked", ASCENDING), ("product_id", ASCENDING)]),
        IndexModel([("parked", ASCENDING), ("event_id", ASCENDING)]),
        IndexModel([("content", ASCENDING), ("event_id", ASCENDING)]),
        IndexModel([("known_at", DESCENDING)]),
    ),
    RUNS: (IndexModel([("state", ASCENDING)]),),
    JOBS: (IndexModel([("state", ASCENDING), ("asked_at", ASCENDING)]), IndexModel([("owner", ASCENDING)])),
    MONITOR: (IndexModel([("kind", ASCENDING), ("at", DESCENDING)]),),
    SHADOW: (IndexModel([("version", ASCENDING)]),),
    REPLAYS: (IndexModel([("replay", ASCENDING)]),),
    SESSIONS: (IndexModel([("user", ASCENDING)]),),
    API_KEYS: (IndexModel([("user", ASCENDING)]),),
    DLQ_ACTIONS: (IndexModel([("event_id", ASCENDING), ("at", ASCENDING)]),),
    CLAIMS: (IndexModel([("by", ASCENDING)]), IndexModel([("judged", ASCENDING)]), IndexModel([("until", ASCENDING)])),
    AUDIT: (
        IndexModel([("who", ASCENDING), ("_id", DESCENDING)]),
        IndexModel([("subject", ASCENDING), ("_id", DESCENDING)]),
    ),
}


async def prepare(store: Store) -> None:
    """Bring the documents up to date, and create the indexes that are missing; it may be done at any time, by several.

    Raises:
        StoreTooNew: A newer release has written the store.
        StoreUnavailable: The store is away.
    """
    await migrate(store)
    for name, indexes in INDEXES.items():
        with store.named_errors():
            await store.collection(name).create_indexes(list(indexes))
