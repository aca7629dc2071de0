"""What an item in the store says: its content, the category a person named, and the answer that is in force."""

from collections.abc import Callable
from typing import Any, Final

from schemas.content import content_key, digest_name
from schemas.prediction import REVIEWER, Category, Modality, ModelRef, Prediction, RankedCategory

Document = dict[str, Any]

_NO_MODEL: Final = ModelRef(name="none", version="none")  # of an event that no model could answer
_MODALITIES: Final[tuple[Modality, ...]] = ("title", "description", "image")
_REJECTED: Final = "a reviewer rejected this category and named no other"


def content_of(product: Document) -> str:
    """The key of the content of a stored product part, the same as that of the product it was made from."""
    image = product.get("image") or {}
    photo = image.get("uri") or (digest_name(image["sha256"]) if "sha256" in image else None)
    return content_key(product.get("title"), product.get("description"), photo)


def decided_code(item: Document) -> str | None:
    """The category that the verdict on an item names: its own, or, of a validated one, the prediction's."""
    verdict = item["verdict"]
    if verdict["verdict"] == "validated":
        code: str | None = item.get("prediction", {}).get("category", {}).get("code")
        return code
    return verdict["code"] if verdict["verdict"] == "corrected" else None


def has_answer(item: Document) -> bool:
    """Whether a judged item has a category to tell: a model's, or a person's."""
    return "prediction" in item or item["verdict"]["verdict"] == "corrected"


def reviewed(item: Document, category: Callable[[str], Category]) -> Prediction:
    """The answer that supersedes the prediction of a judged item.

    A validated or corrected item has the person's category, and confidence 1. A rejected or withdrawn verdict leaves
    the model's answer; a rejected one says that it needs review.

    Args:
        item: With its verdict, and ``has_answer``.
        category: What a code stands for.
    """
    if item["verdict"]["verdict"] in ("validated", "corrected"):
        return _decided(item, category)
    return _predicted(item)


def _decided(item: Document, category: Callable[[str], Category]) -> Prediction:
    code, prediction = item["verdict"].get("code"), item.get("prediction")
    shelf = Category(**item["prediction"]["category"]) if code is None else category(code)
    product = item.get("product", {})
    return Prediction(
        category=shelf,
        confidence=1.0,
        top=[RankedCategory(code=shelf.code, label=shelf.label, probability=1.0)],
        needs_review=False,
        modalities=[name for name in _MODALITIES if product.get(name) is not None],
        model=_NO_MODEL if prediction is None else ModelRef(**prediction["model"]),
        **_common(item),
    )


def _predicted(item: Document) -> Prediction:
    prediction = item["prediction"]
    rejected = item["verdict"]["verdict"] == "rejected"
    own = {name: prediction[name] for name in ("category", "confidence", "top", "modalities", "model")}
    return Prediction(
        **own,
        needs_review=prediction["needs_review"] or rejected,
        notes=[*prediction.get("notes", ()), *([_REJECTED] if rejected else [])],
        **_common(item),
    )


def _common(item: Document) -> Document:
    verdict, prediction = item["verdict"], item.get("prediction")
    at = verdict["at"] if prediction is None else max(verdict["at"], prediction["classified_at"])
    return {
        "event_id": item["_id"],
        "product_id": item["product_id"],
        "decided_by": REVIEWER,
        "classified_at": at,
        "feedback_id": verdict["feedback_id"],
    }
