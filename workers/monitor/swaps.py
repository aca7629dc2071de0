"""Whether answers come from the model that was decided for: where a worker cannot load it, they do not.

A failed load changes nothing in service, so that nobody would miss the new model. It shows in what the archive has,
whatever the reason is, and no worker needs to reach anybody for it to be known.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import DESCENDING

from infra.store import ITEMS, Store
from schemas.model_event import ModelEvent

EVERY: Final = "* * * * *"
"""When it is looked at, in UTC."""

CAUSE: Final = "another model answers"

_GRACE: Final = timedelta(minutes=2)  # for which workers may fetch, load and check a model
_RECENT: Final = timedelta(minutes=5)
_PUBLISHED: Final = timedelta(hours=1)  # what waited for longer is not looked at: there is an index on this alone
_ANSWERS: Final = 500
_FIELDS: Final = ("prediction.model.version", "prediction.classified_at")


async def answering(store: Store, decided: ModelEvent, now: datetime) -> Counter[str]:
    """How many of the newest answers are of which version, as far as the decision should have reached their workers.

    Raises:
        StoreUnavailable: The store is away.
    """
    since = max(decided.at + _GRACE, now - _RECENT)
    query = {"product.published_at": {"$gte": now - _PUBLISHED}, "prediction.classified_at": {"$gte": since}}
    with store.named_errors():
        cursor = store.collection(ITEMS).find(query, dict.fromkeys(_FIELDS, True))
        newest = cursor.sort("product.published_at", DESCENDING).limit(_ANSWERS)
        return Counter([str(item["prediction"]["model"]["version"]) async for item in newest])


def causes(found: Counter[str], decided: ModelEvent) -> dict[str, str]:
    """What is wrong: answers of another version."""
    others = {version: count for version, count in found.items() if version != decided.model.version}
    if not others:
        return {}
    why = (
        f"{sum(others.values()):,} of the last {found.total():,} answers are of {', '.join(sorted(others))}, and "
        f"{decided.model.version} was decided for at {decided.at:%Y-%m-%d %H:%M:%S} UTC: a worker cannot load it, or "
        "AISLE_MODEL tells it not to. Its log (`model not swapped`) and /health/ready say why; "
        "`aisle models rollback` goes back."
    )
    return {CAUSE: why}


def figures_of(found: Counter[str]) -> dict[str, Any]:
    """For the document."""
    return {"answers": found.total(), "versions": [{"version": one, "answers": n} for one, n in found.most_common()]}
