"""The contract of the topics as documents that other programs read."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft7Validator, Draft202012Validator  # type: ignore[import-untyped]

from schemas.asyncapi import asyncapi, json_schemas
from schemas.topics import TOPICS
from scripts.schema import command

ROOT = Path(__file__).parents[2]
SPEC = json.loads((ROOT / "tests/data/asyncapi/asyncapi-3.0.0.json").read_text(encoding="utf-8"))
PRODUCT = {"product_id": "p", "title": "Lampe", "image": {"uri": "a.jpg"}}
PREDICTION = {
    "event_id": "6f1c0c7e-3f52-4d9e-9d0e-1d6a2b4a7f10",
    "product_id": "p",
    "category": {"code": "10", "label": "Livres", "theme": "Culture"},
    "confidence": 0.93,
    "top": [{"code": "10", "label": "Livres", "probability": 0.93}],
    "needs_review": False,
    "decided_by": "fast",
    "modalities": ["title"],
    "notes": [],
    "model": {"name": "aisle", "version": "1"},
    "classified_at": "2026-01-01T00:00:00Z",
}
FEEDBACK = {"product_id": "p", "verdict": "corrected", "code": "10", "by": "me", "at": "2026-01-01T00:00:00Z"}


def test_the_document_is_asyncapi_3() -> None:
    """As AsyncAPI's own schema has it; and that schema does refuse what is none."""
    document, check = asyncapi(), Draft7Validator(SPEC)
    assert [] == [error.message for error in check.iter_errors(document)]
    for wrong in ("action", "channel"):
        broken = deepcopy(document)
        del broken["operations"]["receive-products-in"][wrong]
        assert list(check.iter_errors(broken))


def test_every_topic_is_in_it_with_what_the_broker_is_told() -> None:
    """One that is added to the topics has to be told of here."""
    channels = asyncapi()["channels"]
    assert {spec.name for spec in TOPICS} == {channel["address"] for channel in channels.values()}
    for spec in TOPICS:
        told = channels[spec.name.replace(".", "-")]["bindings"]["kafka"]["topicConfiguration"]
        assert spec.config() == {
            key: ",".join(value) if isinstance(value, list) else str(value) for key, value in told.items()
        }


def test_every_reference_leads_somewhere() -> None:
    """Within the document: it is read where nothing else can be fetched."""
    document = asyncapi()

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [ref for part in value.values() for ref in references(part)]
        return [ref for part in value for ref in references(part)] if isinstance(value, list) else []

    found = set(references(document))
    assert found
    for reference in found:
        place: Any = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("Product", PRODUCT, PRODUCT | {"title": 5}),
        ("Feedback", FEEDBACK, FEEDBACK | {"verdict": "maybe"}),
        ("Prediction", PREDICTION, PREDICTION | {"confidence": 1.5}),
    ],
)
def test_schemas_accept_what_travels_and_refuse_what_does_not(
    name: str, value: dict[str, Any], wrong: dict[str, Any]
) -> None:
    """The JSON Schemas alone, as a producer in another language would use them."""
    schemas = json_schemas()
    check = Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}})
    assert [] == [error.message for error in check.iter_errors(value)]
    assert list(check.iter_errors(wrong))


def test_the_document_in_the_docs_is_the_one_that_is_generated() -> None:
    """`aisle schema asyncapi > docs/asyncapi.json` makes it anew."""
    printed = CliRunner().invoke(command, ["asyncapi"])
    assert (0, (ROOT / "docs/asyncapi.json").read_text(encoding="utf-8")) == (printed.exit_code, printed.output)


def test_a_schema_is_printed_by_its_name() -> None:
    """And a wrong name is told with those that there are."""
    one = CliRunner().invoke(command, ["json", "Feedback"])
    assert "#/components/schemas/Feedback" == json.loads(one.output)["$ref"]
    other = CliRunner().invoke(command, ["json", "feedback"])
    assert 2 == other.exit_code
    assert "there are" in other.output
    assert "Feedback" in other.output
