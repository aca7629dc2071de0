"""How far the day's review is."""

from datetime import datetime
from typing import Final

from infra.store import ITEMS, Document, Store
from schemas.http.review import ReviewProgress
from workers.gateway.items.view import WITHDRAWN
from workers.gateway.review.queue import QueueChoice

MOST_COUNTED: Final = 10_000


async def progress(store: Store, who: str, since: datetime, choice: QueueChoice) -> ReviewProgress:
    """What was judged since then, and what waits.

    Raises:
        StoreUnavailable: The store is away.
    """
    items = store.collection(ITEMS)
    said: Document = {"verdict.at": {"$gte": since}, "verdict.verdict": {"$ne": WITHDRAWN}}
    with store.named_errors():
        today = await items.count_documents(said | {"verdict.by": who}, limit=MOST_COUNTED)
        today_all = await items.count_documents(said, limit=MOST_COUNTED)
        waiting = await items.count_documents(choice.query(), limit=MOST_COUNTED + 1)
    return ReviewProgress(
        today=today,
        today_all=today_all,
        waiting=min(waiting, MOST_COUNTED),
        more_waiting=waiting > MOST_COUNTED,
    )
