"""Topics, predictions, model events and errors: what other programs rely on."""

from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.errors import AisleError
from schemas.limits import MIB
from schemas.model_event import ModelEvent
from schemas.prediction import Category, ModelRef, Prediction, RankedCategory
from schemas.topics import TOPICS

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_the_topics_are_those_of_the_contract() -> None:
    """Names are what other teams configure: none is renamed, none is missing."""
    assert [spec.name for spec in TOPICS] == [
        "products.in",
        "predictions.out",
        "feedback",
        "products.dlq",
        "feedback.dlq",
        "models.events",
        "verdicts",
        "shadow.out",
    ]


def test_a_full_size_poison_fits_on_the_dead_letter_topic() -> None:
    """Products up to 1 MiB, everything else up to 2 MiB, each with room for key and headers."""
    limits = {spec.name: int(spec.config()["max.message.bytes"]) for spec in TOPICS}

    assert MIB < limits.pop("products.in") < 2 * MIB
    assert min(limits.values()) > 2 * MIB


def test_what_is_kept_for_ever_is_compacted_and_the_rest_by_time() -> None:
    """Champion and verdicts are states, of which the last counts; dead letters stay for 30 days."""
    configs = {spec.name: spec.config() for spec in TOPICS}

    assert {name for name, config in configs.items() if config["cleanup.policy"] == "compact"} == {
        "models.events",
        "verdicts",
    }
    assert configs["products.dlq"]["retention.ms"] == str(30 * 24 * 3600 * 1000)
    assert [spec.partitions for spec in TOPICS if spec.name == "models.events"] == [1]


def prediction(**changes: Any) -> Prediction:
    """A prediction that differs from the usual one in these."""
    fields: dict[str, Any] = {
        "event_id": "0b8e0000-0000-4000-8000-000000000001",
        "product_id": "p",
        "category": Category(code="40", label="video games"),
        "confidence": 0.75,
        "top": [RankedCategory(code="40", label="video games", probability=0.75)],
        "needs_review": False,
        "decided_by": "ngrams",
        "modalities": ["title"],
        "model": ModelRef(name="shelf", version="1"),
        "classified_at": NOW,
    }
    return Prediction(**(fields | changes))


def test_a_prediction_survives_a_round_trip() -> None:
    """What consumers read is what was decided, time zone included."""
    made = prediction(notes=["photo not found"], replay="r1")

    assert Prediction.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize(
    "change", [{"confidence": 1.01}, {"confidence": -0.1}, {"confidence": float("nan")}, {"modalities": ["smell"]}]
)
def test_what_is_no_prediction_is_refused(change: dict[str, Any]) -> None:
    """A probability is between 0 and 1, and modalities are the three of the contract."""
    with pytest.raises(ValidationError):
        prediction(**change)


def test_predictions_do_not_share_their_notes() -> None:
    """A note on one prediction never shows on another."""
    first, second = prediction(), prediction()
    first.notes.append("x")

    assert second.notes == []


def test_a_model_event_is_the_whole_state() -> None:
    """It survives a round trip and counts from 1."""
    fields: dict[str, Any] = {
        "bundle_uri": "file:///b",
        "sha256": "0",
        "taxonomy_sha256": "0",
        "by": "ana",
        "why": "better",
    }
    made = ModelEvent(model=ModelRef(name="shelf", version="2"), previous="1", sequence=2, at=NOW, **fields)

    assert ModelEvent.model_validate_json(made.model_dump_json()) == made
    with pytest.raises(ValidationError):
        ModelEvent(model=ModelRef(name="shelf", version="2"), sequence=0, at=NOW, **fields)


def _all_errors(kind: type[AisleError] = AisleError) -> list[type[AisleError]]:
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in _all_errors(child))]


def test_every_error_has_a_code_of_its_own() -> None:
    """Logs and dead letters name errors by code: in kebab case, each one's own, with a docstring that explains it."""
    for module in ("infra.errors", "model.errors", "streams.errors", "schemas.taxonomy", "workers.gateway.app"):
        import_module(module)
    kinds = [kind for kind in _all_errors() if not kind.__module__.startswith("tests")]
    codes = [kind.code for kind in kinds]

    assert len(set(codes)) == len(codes), sorted(codes)
    for kind in kinds:
        assert kind.code == kind.code.lower().replace("_", "-").replace(" ", "-")
        assert kind.__doc__


def test_an_error_reads_as_message_and_hint() -> None:
    """Both in one line; without a hint, no space hangs behind."""
    assert str(AisleError("It is so.", hint="Do this.")) == "It is so. Do this."
    assert str(AisleError("It is so.")) == "It is so."
