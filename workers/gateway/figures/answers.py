"""The newest predictions: how long they took, how sure they are, what they are."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from pymongo import DESCENDING

from infra.store import ITEMS, Document, Store
from schemas.http.figures import Answers, ClassShare, ConfidenceBin, Latency, Looked, Waiting
from schemas.ids import is_canary

_MOST: Final = 2_000
_ENOUGH: Final = 200
_SPANS: Final = (timedelta(hours=1), timedelta(days=1), timedelta(days=30))
_BINS: Final = 20
_FIELDS: Final = dict.fromkeys(
    (
        *("product_id", "product.published_at", "prediction.classified_at", "prediction.confidence"),
        *("prediction.category.code", "prediction.category.label", "prediction.needs_review"),
    ),
    True,
)
_COUNTED: Final = 10_000


async def newest_answers(store: Store, now: datetime) -> Answers:
    """The predictions of the newest products: of the last hour, or longer where that has few.

    Raises:
        StoreUnavailable: The store is away.
    """
    found: list[Document] = []
    since = now
    for span in _SPANS:
        since = now - span
        found = await _since(store, since)
        if len(found) >= _ENOUGH:
            break
    items = [item for item in found if "prediction" in item and not is_canary(item.get("product_id"))]
    looked = _looked(found, since, now)
    predictions = [item["prediction"] for item in items]
    labels = {one["category"]["code"]: one["category"]["label"] for one in predictions}
    classes = Counter(one["category"]["code"] for one in predictions)
    return Answers(
        latency=_latency(items, looked),
        confidence=_histogram(predictions),
        classes=[ClassShare(code=code, label=labels[code], count=count) for code, count in classes.most_common()],
        needs_review=sum(one["needs_review"] for one in predictions),
        looked_at=looked,
    )


async def waiting(store: Store) -> Waiting:
    """What needs review and has no verdict, or one that was taken back; counted up to a bound.

    Raises:
        StoreUnavailable: The store is away.
    """
    found = 0
    for verdict in (None, "withdrawn"):
        query = {"prediction.needs_review": True, "verdict.verdict": verdict}
        with store.named_errors():
            found += await store.collection(ITEMS).count_documents(query, limit=_COUNTED + 1)
    return Waiting(items=min(found, _COUNTED), more=found > _COUNTED)


async def _since(store: Store, since: datetime) -> list[Document]:
    with store.named_errors():
        cursor = store.collection(ITEMS).find({"product.published_at": {"$gte": since}}, _FIELDS)
        found: list[Document] = await cursor.sort("product.published_at", DESCENDING).limit(_MOST).to_list(_MOST)
    return found


def _looked(found: Sequence[Document], since: datetime, now: datetime) -> Looked:
    complete = len(found) < _MOST
    oldest = found[-1]["product"]["published_at"] if found else None
    return Looked(since=since if complete and found else oldest, until=now, of=len(found), complete=complete)


def _latency(items: Sequence[Document], looked: Looked) -> Latency:
    took = sorted(
        (item["prediction"]["classified_at"] - item["product"]["published_at"]).total_seconds() * 1_000
        for item in items
    )
    return Latency(p50_ms=_percentile(took, 0.50), p95_ms=_percentile(took, 0.95), looked_at=looked)


def _percentile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest value that this share of them does not exceed."""
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)] if ordered else None


def _histogram(predictions: Sequence[Document]) -> list[ConfidenceBin]:
    place = [min(_BINS - 1, max(0, int(one["confidence"] * _BINS))) for one in predictions]
    count = Counter(place)
    review = Counter(at for at, one in zip(place, predictions, strict=True) if one["needs_review"])
    return [
        ConfidenceBin(low=at / _BINS, high=(at + 1) / _BINS, count=count[at], needs_review=review[at])
        for at in range(_BINS)
    ]
