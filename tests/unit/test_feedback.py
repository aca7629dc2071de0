"""Feedback: a complete verdict or a refusal that says what is missing."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.feedback import Feedback
from schemas.limits import MAX_NOTE_CHARS

EVENT = "0b8e0000-0000-4000-8000-000000000001"


def feedback(**fields: Any) -> Feedback:
    """Feedback from JSON, as it comes from the topic."""
    return Feedback.model_validate_json(json.dumps({"verdict": "validated", "by": "ana", **fields}))


@pytest.mark.parametrize(
    "about", [{"event_id": EVENT}, {"product_id": "p"}, {"product_id": 7}, {"event_id": EVENT, "product_id": "p"}]
)
def test_a_verdict_is_about_an_event_or_a_product(about: dict[str, Any]) -> None:
    """Either is enough; a numbered product needs no quotes."""
    assert feedback(**about).verdict == "validated"


def test_a_verdict_about_nothing_is_refused() -> None:
    """The reason names the two fields."""
    with pytest.raises(ValidationError, match="event_id or product_id"):
        feedback()


@pytest.mark.parametrize(
    ("verdict", "code", "good"),
    [
        ("corrected", "40", True),
        ("corrected", 40, True),
        ("corrected", None, False),
        ("validated", "40", False),
        ("rejected", None, True),
        ("rejected", "40", False),
        ("withdrawn", None, True),
        ("perhaps", None, False),
    ],
)
def test_a_code_goes_with_a_correction_and_only_with_it(verdict: str, code: Any, good: bool) -> None:
    """A correction without the right code teaches nothing; a code beside another verdict contradicts it."""
    if good:
        assert feedback(event_id=EVENT, verdict=verdict, code=code).code == (None if code is None else "40")
    else:
        with pytest.raises(ValidationError):
            feedback(event_id=EVENT, verdict=verdict, code=code)


def test_a_time_names_its_zone() -> None:
    """A verdict's time orders it among others from anywhere."""
    made = feedback(event_id=EVENT, at="2026-11-21T13:00:00+01:00")

    assert made.at is not None
    assert made.at.utcoffset() is not None
    with pytest.raises(ValidationError, match="timezone"):
        feedback(event_id=EVENT, at="2026-11-21T13:00:00")


@pytest.mark.parametrize(
    "fields",
    [
        {"by": ""},
        {"by": None},
        {"note": "x" * (MAX_NOTE_CHARS + 1)},
        {"event_id": ""},
        {"event_id": "AAAA"},
        {"event_id": 7},
    ],
)
def test_fields_have_limits(fields: dict[str, Any]) -> None:
    """Somebody decided, and nobody writes novels into ids."""
    with pytest.raises(ValidationError):
        feedback(**{"event_id": EVENT, **fields})


def test_absent_and_null_are_the_same() -> None:
    """Clients that write every field, and clients that leave out what they do not know, are both right."""
    nothing = dict.fromkeys(("feedback_id", "product_id", "code", "at", "note"))

    assert feedback(event_id=EVENT, **nothing) == feedback(event_id=EVENT)


def test_feedback_survives_a_round_trip() -> None:
    """What is stored is what was said."""
    made = feedback(
        event_id=EVENT, verdict="corrected", code="40", at="2026-11-21T12:00:00Z", note="!", feedback_id="f"
    )

    assert Feedback.model_validate_json(made.model_dump_json()) == made
    assert Feedback.model_validate(json.loads(made.model_dump_json())) == made


def test_an_event_id_has_one_form() -> None:
    """Ids in capitals name the same event as those in small letters: there is one item, not two."""
    assert feedback(event_id=EVENT.upper()).event_id == EVENT


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_beyond_the_calendar_is_refused(at: str) -> None:
    """A time whose offset leads out of the calendar is bad feedback, and no trouble for whoever stores it."""
    with pytest.raises(ValidationError, match="out of range"):
        feedback(event_id=EVENT, at=at)
