"""The answer on an item that a person has judged, as the readers of predictions.out get it."""

from collections.abc import Callable
from typing import Any, Final, cast

from infra.kafka.producer import OutRecord
from schemas import headers as names
from schemas.prediction import REVIEWER, Category, Modality, ModelRef, Prediction, RankedCategory

Document = dict[str, Any]

_SOURCE: Final = b"aisle/archive"
_NO_MODEL: Final = ModelRef(name="none", version="none")  # of an event that no model could answer
_MODALITIES: Final[tuple[Modality, ...]] = ("title", "description", "image")
_REJECTED: Final = "a reviewer rejected this category and named no other"
_FIRST_PARTITION: Final = 0


def has_answer(item: Document) -> bool:
    """Whether a judged item has a category to tell: a model's, or a person's."""
    return "prediction" in item or item["verdict"]["verdict"] == "corrected"


def correction(item: Document, category: Callable[[str], Category]) -> OutRecord:
    """The answer that supersedes a prediction, under its event id and on its partition.

    A validated or corrected item has the person's category, and confidence 1. A rejected or withdrawn verdict leaves
    the model's answer; a rejected one says that it needs review.

    Args:
        item: With its product, and ``has_answer``.
        category: What a code stands for.
    """
    verdict, event_id = item["verdict"], item["_id"].encode()
    answer = _decided(item, category) if verdict["verdict"] in ("validated", "corrected") else _predicted(item)
    headers = [
        (names.EVENT_ID, event_id),
        (names.CE_ID, verdict["feedback_id"].encode()),
        (names.CE_SOURCE, _SOURCE),
        (names.CE_TYPE, names.PREDICTION_TYPE.encode()),
        (names.CE_SPECVERSION, b"1.0"),
        (names.CE_TIME, answer.classified_at.isoformat().encode()),
        (names.CONTENT_TYPE, b"application/json"),
    ]
    value = answer.model_dump_json(exclude_none=True).encode()
    return OutRecord(_partition(item), answer.product_id.encode(), value, headers)


def _decided(item: Document, category: Callable[[str], Category]) -> Prediction:
    code, prediction = item["verdict"].get("code"), item.get("prediction")
    shelf = Category(**item["prediction"]["category"]) if code is None else category(code)
    return Prediction(
        category=shelf,
        confidence=1.0,
        top=[RankedCategory(code=shelf.code, label=shelf.label, probability=1.0)],
        needs_review=False,
        modalities=[name for name in _MODALITIES if item["product"].get(name) is not None],
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


def _partition(item: Document) -> int:
    """Where the event was answered; the first one for items of releases that did not keep it."""
    answered = item.get("prediction") or item["dead_letter"]
    return cast(int, answered.get("partition", _FIRST_PARTITION))
