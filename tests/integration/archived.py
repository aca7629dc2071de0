"""Items as the archive stores them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
"""Noon."""


def event(number: int) -> str:
    """An event id."""
    return str(UUID(int=number))


def item(number: int, code: str = "soups", **parts: Any) -> dict[str, Any]:
    """An item that was published so many minutes after noon, and predicted with so many percent."""
    product = {"published_at": AT + timedelta(minutes=number), "title": f"product {number}", "description": None}
    confidence = number / 100
    category = {"code": code, "label": code.capitalize(), "theme": "Food"}
    prediction = {
        "classified_at": AT + timedelta(minutes=number, seconds=1),
        "category": category,
        "confidence": confidence,
        "top": [{"code": code, "label": code.capitalize(), "probability": confidence}],
        "needs_review": confidence < 0.5,
        "decided_by": "text",
        "modalities": ["title"],
        "notes": [],
        "model": {"name": "m", "version": "1"},
        "partition": 3,
    }
    whole = {"_id": event(number), "product_id": f"p{number}", "product": product, "prediction": prediction}
    return {name: part for name, part in (whole | parts).items() if part is not None}


def verdict(said: str, minutes: int = 90, **fields: Any) -> dict[str, Any]:
    """A part of an item."""
    return {"at": AT + timedelta(minutes=minutes), "feedback_id": f"f{minutes}", "verdict": said, "by": "ada"} | fields
