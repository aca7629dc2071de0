"""What readers are told of an item that a person has judged."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.stored_items import has_answer
from schemas.prediction import Category, Prediction
from streams.decisions import decision
from streams.reviewed import correction

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
EVENT = "0b8e0000-0000-4000-8000-000000000001"
SOUPS = {"code": "soups", "label": "Soups", "theme": "Food"}


def item(verdict: str, *, code: str | None = None, minutes: int = 5, **parts: Any) -> dict[str, Any]:
    """An item that was answered at noon and judged so many minutes later."""
    prediction = {
        "classified_at": NOON,
        "category": SOUPS,
        "confidence": 0.4,
        "top": [{"code": "soups", "label": "Soups", "probability": 0.4}],
        "needs_review": False,
        "decided_by": "text",
        "modalities": ["title"],
        "notes": ["a note"],
        "model": {"name": "m", "version": "1"},
        "partition": 3,
    }
    said = {"at": NOON + timedelta(minutes=minutes), "feedback_id": "f", "verdict": verdict, "by": "ada"}
    if code is not None:
        said["code"] = code
    product = {"published_at": NOON, "title": "soup", "description": None, "image": {"uri": "a.jpg"}}
    whole = {"_id": EVENT, "product_id": "p", "product": product, "prediction": prediction, "verdict": said}
    return {name: part for name, part in (whole | parts).items() if part is not None}


def told(judged: dict[str, Any]) -> Prediction:
    """What a reader gets."""
    made = correction(judged, lambda code: Category(code=code, label=code.capitalize()))
    assert (3, b"p") == (made.partition, made.key)
    return Prediction.model_validate_json(made.value or b"")


@pytest.mark.parametrize(
    ("judged", "code", "confidence", "needs_review", "notes"),
    [
        (item("corrected", code="teas"), "teas", 1.0, False, []),
        (item("validated"), "soups", 1.0, False, []),
        (item("withdrawn"), "soups", 0.4, False, ["a note"]),
        (item("rejected"), "soups", 0.4, True, ["a note", "a reviewer rejected this category and named no other"]),
    ],
)
def test_each_verdict_becomes_an_answer_that_supersedes(
    judged: dict[str, Any], code: str, confidence: float, needs_review: bool, notes: list[str]
) -> None:
    """Under the item's event id, with the verdict's, by a reviewer; the model is the one that was judged."""
    answer = told(judged)

    assert (EVENT, "reviewer", "f", "m") == (answer.event_id, answer.decided_by, answer.feedback_id, answer.model.name)
    assert (code, confidence, needs_review, notes) == (
        answer.category.code,
        answer.confidence,
        answer.needs_review,
        answer.notes,
    )
    assert NOON + timedelta(minutes=5) == answer.classified_at


def test_it_is_never_older_than_what_it_supersedes() -> None:
    """A verdict given before the answer, or by a slow clock, sorts behind it."""
    assert NOON == told(item("corrected", code="teas", minutes=-9)).classified_at


def test_an_event_without_an_answer_has_one_when_a_person_names_a_category() -> None:
    """Of a dead letter there is nothing to confirm or restore."""
    dead: dict[str, Any] = {"prediction": None, "dead_letter": {"partition": 3}}
    answer = told(item("corrected", code="teas", **dead))
    assert (["title", "image"], "none") == (answer.modalities, answer.model.name)
    assert has_answer(item("corrected", code="teas", **dead))
    assert not any(has_answer(item(said, **dead)) for said in ("rejected", "withdrawn"))


def test_of_one_content_the_latest_word_counts() -> None:
    """A withdrawn one says nothing, nor one that confirms what is not known; a rejected one leaves no category."""
    early, late = item("corrected", code="teas"), item("corrected", code="jams", minutes=6)
    assert {"jams"} == {found.code for found in (decision([early, late]), decision([late, early])) if found}
    for silent in (item("withdrawn", minutes=9), item("validated", minutes=9, prediction=None), {"_id": EVENT}):
        found = decision([silent, late, early])
        assert found is not None
        assert "jams" == found.code
    confirmed = decision([item("validated", minutes=9), late])
    assert confirmed is not None
    assert ("soups", "validated") == (confirmed.code, confirmed.verdict)
    assert None is decision([item("rejected", minutes=9), late])
    assert None is decision([])
