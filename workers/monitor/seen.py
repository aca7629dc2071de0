"""The newest products and verdicts, as the archive keeps them; canaries are left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pymongo import DESCENDING

from infra.store import ITEMS, Document, Store
from schemas.ids import CANARY
from schemas.prediction import REVIEWER

_BATCH: Final = 500
_PRODUCT: Final = ("product_id", "product.published_at", "product.title", "product.description", "product.image")
_ANSWER: Final = tuple(
    f"prediction.{name}" for name in ("category.code", "confidence", "needs_review", "decided_by", "model.version")
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A product and its answer; ``version`` is None where no model answered it.

    Args:
        title: As it came; '' where there is none.
        description: Likewise.
        photo: Whether it has one.
        version: Of the model that answered.
        code: The answer.
        confidence: Likewise.
        needs_review: Likewise.
    """

    title: str
    description: str
    photo: bool
    version: str | None = None
    code: str = ""
    confidence: float = 0.0
    needs_review: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer of a model that a person has judged; ``truth`` is None where no category fits."""

    version: str
    said: str
    truth: str | None
    needs_review: bool


async def newest_products(store: Store, rows: int) -> list[Seen]:
    """The products that were published last, newest first.

    Args:
        store: Where items are.
        rows: How many are read, at most.

    Raises:
        StoreUnavailable: The store is away.
    """
    found = await _newest(store, "product.published_at", (*_PRODUCT, *_ANSWER), rows)
    return [_seen(item) for item in found]


async def newest_verdicts(store: Store, rows: int, version: str) -> list[Judged]:
    """What people said last of a model's answers, newest first; the last word on each item.

    Args:
        store: Where items are.
        rows: How many verdicts are read, at most, whichever model they are about.
        version: The model's.

    Raises:
        StoreUnavailable: The store is away.
    """
    found = await _newest(store, "verdict.at", ("product_id", "verdict", *_ANSWER), rows)
    judged = [_judged(item) for item in found if "prediction" in item and item["verdict"]["verdict"] != "withdrawn"]
    return [one for one in judged if one is not None and one.version == version]


async def _newest(store: Store, by: str, fields: Sequence[str], rows: int) -> list[Document]:
    with store.named_errors():
        query = {by: {"$exists": True}, "product_id": {"$not": {"$regex": f"^{CANARY}"}}}
        cursor = store.collection(ITEMS).find(query, dict.fromkeys(fields, True))
        return [item async for item in cursor.sort(by, DESCENDING).limit(rows).batch_size(_BATCH)]


def _seen(item: Document) -> Seen:
    product, answer = item["product"], item.get("prediction")
    return Seen(
        product.get("title") or "",
        product.get("description") or "",
        "image" in product,
        **({} if answer is None or answer["decided_by"] == REVIEWER else _answer(answer)),
    )


def _answer(answer: Document) -> dict[str, Any]:
    return {
        "version": answer["model"]["version"],
        "code": answer["category"]["code"],
        "confidence": answer["confidence"],
        "needs_review": answer["needs_review"],
    }


def _judged(item: Document) -> Judged | None:
    answer, verdict = item["prediction"], item["verdict"]
    if answer["decided_by"] == REVIEWER:
        return None
    said = answer["category"]["code"]
    truth = {"validated": said, "corrected": verdict.get("code")}.get(verdict["verdict"])
    return Judged(answer["model"]["version"], said, truth, answer["needs_review"])
