"""What an item or a verdict is as a row of a table."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal

from infra.store import Document
from schemas.prediction import Category
from workers.gateway.items.view import item_of

What = Literal["items", "verdicts"]
Cell = str | float | bool | datetime | None
Row = dict[str, Cell]

COLUMNS: Final[dict[What, dict[str, type]]] = {
    "items": {
        "event_id": str,
        "product_id": str,
        "published_at": datetime,
        "title": str,
        "description": str,
        "photo": str,
        "submitted_by": str,
        "state": str,
        "predicted_code": str,
        "predicted_label": str,
        "predicted_theme": str,
        "confidence": float,
        "needs_review": bool,
        "stage": str,
        "model_name": str,
        "model_version": str,
        "classified_at": datetime,
        "code": str,
        "label": str,
        "theme": str,
        "decided_by": str,
        "verdict": str,
        "verdict_by": str,
        "verdict_at": datetime,
        "verdict_note": str,
        "dead_letter_stage": str,
        "dead_letter_message": str,
    },
    "verdicts": {
        "feedback_id": str,
        "event_id": str,
        "product_id": str,
        "verdict": str,
        "code": str,
        "by": str,
        "at": datetime,
        "note": str,
        "title": str,
        "predicted_code": str,
        "confidence": float,
        "model_version": str,
    },
}
"""The columns, with the kind of their cells; any cell may be empty. `code` of an item is the category in force, that of
a verdict the one it names, so that `aisle feedback import` reads a table of verdicts back."""


def item_row(document: Document, category: Callable[[str], Category]) -> Row:
    """An item.

    Args:
        document: As stored.
        category: What a code stands for.
    """
    item = item_of(document, category, whole=True)
    product, predicted, verdict, letter = item.product, item.prediction, item.verdict, item.dead_letter
    row: Row = {"event_id": item.event_id, "product_id": item.product_id, "state": item.state}
    if product is not None:
        photo = product.photo
        row |= product.model_dump(include={"published_at", "title", "description", "submitted_by"})
        row["photo"] = None if photo is None else photo.uri or (photo.sha256 and f"sha256:{photo.sha256}")
    if predicted is not None:
        row |= _category("predicted_", predicted.category)
        row |= predicted.model_dump(include={"confidence", "needs_review", "classified_at"})
        row |= {"stage": predicted.decided_by}
        row |= {"model_name": predicted.model.name, "model_version": predicted.model.version}
    if item.decision is not None:
        row |= _category("", item.decision.category) | {"decided_by": item.decision.decided_by}
    if verdict is not None:
        row |= {"verdict": verdict.verdict, "verdict_by": verdict.by, "verdict_at": verdict.at}
        row |= {"verdict_note": verdict.note}
    if letter is not None:
        row |= {"dead_letter_stage": letter.stage, "dead_letter_message": letter.message}
    return _in_order("items", row)


def verdict_row(document: Document, item: Document) -> Row:
    """A verdict.

    Args:
        document: As stored.
        item: What it is about, as far as it is there.
    """
    names = ("event_id", "product_id", "verdict", "code", "by", "at", "note")
    row: Row = {"feedback_id": document["_id"]} | {name: document.get(name) for name in names}
    predicted = item.get("prediction", {})
    row |= {
        "product_id": document.get("product_id") or item.get("product_id"),
        "title": item.get("product", {}).get("title"),
        "predicted_code": predicted.get("category", {}).get("code"),
        "confidence": predicted.get("confidence"),
        "model_version": predicted.get("model", {}).get("version"),
    }
    return _in_order("verdicts", row)


def _category(prefix: str, category: Category | None) -> Row:
    return {} if category is None else {f"{prefix}{name}": value for name, value in category.model_dump().items()}


def _in_order(what: What, row: Row) -> Row:
    return {name: row.get(name) for name in COLUMNS[what]}
