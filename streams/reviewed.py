"""The answer on an item that a person has judged, as the readers of predictions.out get it."""

from collections.abc import Callable
from typing import Any, Final, cast

from infra.kafka.producer import OutRecord
from infra.stored_items import reviewed
from schemas import headers as names
from schemas.prediction import Category

Document = dict[str, Any]

_SOURCE: Final = b"aisle/archive"
_FIRST_PARTITION: Final = 0


def correction(item: Document, category: Callable[[str], Category]) -> OutRecord:
    """The answer that supersedes a prediction, under its event id and on its partition.

    Args:
        item: With its product, and ``has_answer``.
        category: What a code stands for.
    """
    verdict, event_id = item["verdict"], item["_id"].encode()
    answer = reviewed(item, category)
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


def _partition(item: Document) -> int:
    """Where the event was answered; the first one for items of releases that did not keep it."""
    answered = item.get("prediction") or item["dead_letter"]
    return cast(int, answered.get("partition", _FIRST_PARTITION))
