"""Releases side by side: what the last one wrote is read, what this one writes the last one can read.

`tests/data/records-0.1` has records of every topic as release 0.1 has them, and its JSON Schemas. Neither is ever
changed: a release that breaks one of these tests breaks whoever still runs the one before. `docs/evolution.md`.
"""

import json
from base64 import b64decode
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from aiokafka.structs import ConsumerRecord
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import BaseModel

from schemas.asyncapi import json_schemas
from schemas.dead_letter import DeadLetter
from schemas.feedback import Feedback
from schemas.model_event import ModelEvent
from schemas.prediction import Prediction
from schemas.product import Product
from schemas.shadow import ShadowPrediction
from schemas.topics import FEEDBACK, MODELS_EVENTS, PREDICTIONS_OUT, PRODUCTS_IN, SHADOW_OUT, TOPICS, VERDICTS
from schemas.verdict import ContentVerdict
from streams.decode import parse, parse_product
from tests.records import record

BEFORE: Final = Path(__file__).parents[1] / "data" / "records-0.1"
MODELS: Final[dict[str, type[BaseModel]]] = {
    PRODUCTS_IN: Product,
    PREDICTIONS_OUT: Prediction,
    FEEDBACK: Feedback,
    MODELS_EVENTS: ModelEvent,
    VERDICTS: ContentVerdict,
    SHADOW_OUT: ShadowPrediction,
}
READ_BY_AISLE: Final = {"Product", "Feedback", "Image"}
"""What producers of before still send; all else aisle writes, and programs of before still read."""


def golden(topic: str) -> list[dict[str, Any]]:
    """The records of a topic, as the release before has them."""
    return [json.loads(line) for line in (BEFORE / f"{topic}.jsonl").read_text(encoding="utf-8").splitlines()]


def as_consumed(one: dict[str, Any], topic: str) -> "ConsumerRecord[bytes, bytes]":
    """One of them as a consumer hands it over."""
    value = None if one["value"] is None else orjson.dumps(one["value"])
    headers = [(name, text.encode()) for name, text in one["headers"]]
    return record(value, topic=topic, key=one["key"].encode(), headers=headers)


def schemas_of_before() -> dict[str, Any]:
    """The JSON Schemas of the release before."""
    found: dict[str, Any] = json.loads((BEFORE / "schemas.json").read_text(encoding="utf-8"))
    return found


def breaks(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What of a release cannot live beside the one before it, by the schemas of both."""
    found = []
    for name, old in before.items():
        new = now.get(name)
        if new is None:
            found.append(f"{name} is gone")
            continue
        fields, again = old.get("properties", {}), new.get("properties", {})
        found += [f"{name}.{field} is gone" for field in fields.keys() - again.keys()]
        found += [
            f"{name}.{field} means something else"
            for field in fields.keys() & again.keys()
            if not _takes(fields[field], again[field], name)
        ]
        was, needs = set(old.get("required", ())), set(new.get("required", ()))
        if name in READ_BY_AISLE:
            found += [f"{name}.{field} was not needed before" for field in needs - was]
        else:
            found += [f"{name}.{field} may be missing now" for field in was - needs]
            found += [f"{name}.{field} is needed of records that do not have it" for field in needs - was]
        if new.get("additionalProperties") is False:
            found.append(f"{name} does not take what a later release adds")
    return sorted(found)


def _takes(old: dict[str, Any], new: dict[str, Any], name: str) -> bool:
    """Whether a field has what it had: the same types, and on either side no value that the other does not know."""
    kinds, again = _kinds(old), _kinds(new)
    return kinds <= again if name in READ_BY_AISLE else kinds == again


def _kinds(field: dict[str, Any]) -> set[str]:
    choices = field.get("anyOf") or [field]
    return {
        kind
        for one in choices
        for kind in (
            [f"={value}" for value in one["enum"]] if "enum" in one else [str(one.get("type", one.get("$ref")))]
        )
    }


def test_there_are_records_of_every_topic() -> None:
    """A topic that is added has golden records from the release on that brings it."""
    assert {spec.name for spec in TOPICS} == {path.stem for path in BEFORE.glob("*.jsonl")}


@pytest.mark.parametrize("topic", MODELS)
def test_what_was_written_before_is_read(topic: str) -> None:
    """Each record, by what reads it in service, to the same values."""
    for one in golden(topic):
        if one["value"] is None:
            continue
        consumed = as_consumed(one, topic)
        read = parse_product(consumed) if topic == PRODUCTS_IN else parse(MODELS[topic], consumed, limit_bytes=10**7)
        said = read.model_dump(mode="json", exclude_none=True)
        if topic != PRODUCTS_IN:  # which takes other names, and leaves out what it does not know
            assert {name: _plain(value) for name, value in one["value"].items() if value is not None} == {
                name: _plain(said.get(name)) for name, value in one["value"].items() if value is not None
            }


def _plain(value: Any) -> Any:
    """A value without the ways to write a time."""
    return value.replace(".123Z", ".123000Z") if isinstance(value, str) else value


@pytest.mark.parametrize("topic", ["products.dlq", "feedback.dlq"])
def test_dead_letters_of_before_are_read(topic: str) -> None:
    """By their headers; the bytes are whatever they were."""
    for one in golden(topic):
        headers = [(name, text.encode()) for name, text in one["headers"]]
        reason = DeadLetter.from_headers(headers)
        assert ("decode", 2, 1_200) == (reason.stage, reason.attempts, reason.offset)
        assert {name: text for name, text in one["headers"] if name.startswith("aisle.errors.")} == {
            name: text.decode() for name, text in reason.to_headers()
        }
        assert one["bytes"] is None or b64decode(one["bytes"])


@pytest.mark.parametrize("topic", MODELS)
def test_what_is_written_now_is_read_by_the_release_before(topic: str) -> None:
    """Held to that one's own schema, with nothing of ours."""
    model = MODELS[topic]
    root = {"$ref": f"#/components/schemas/{model.__name__}", "components": {"schemas": schemas_of_before()}}
    check = Draft202012Validator(root)
    for one in golden(topic):
        if one["value"] is None:
            continue
        written = model.model_validate_json(orjson.dumps(one["value"])).model_dump_json(exclude_none=True)
        assert [] == [error.message for error in check.iter_errors(json.loads(written))]
    assert list(check.iter_errors({"nothing": "of it"})), "the schema does refuse what is none"


def test_no_schema_breaks_with_the_release_before() -> None:
    """Fields are added, never taken away, renamed, or made to mean something else."""
    assert [] == breaks(schemas_of_before(), json_schemas())


def _without(schemas: dict[str, Any]) -> None:
    del schemas["Prediction"]["properties"]["confidence"]


def _needing(schemas: dict[str, Any]) -> None:
    schemas["Product"]["required"].append("title")


def _optional(schemas: dict[str, Any]) -> None:
    schemas["Prediction"]["required"].remove("model")


def _another(schemas: dict[str, Any]) -> None:
    schemas["Prediction"]["properties"]["confidence"]["type"] = "string"


def _strange(schemas: dict[str, Any]) -> None:
    schemas["ContentVerdict"]["properties"]["verdict"]["enum"].append("guessed")


def _narrow(schemas: dict[str, Any]) -> None:
    schemas["Feedback"]["properties"]["verdict"]["enum"].remove("withdrawn")


def _closed(schemas: dict[str, Any]) -> None:
    schemas["Feedback"]["additionalProperties"] = False


@pytest.mark.parametrize("change", [_without, _needing, _optional, _another, _strange, _narrow, _closed])
def test_a_break_is_seen(change: Any) -> None:
    """Each of the changes that the rules forbid."""
    now = deepcopy(schemas_of_before())
    change(now)
    assert 1 == len(breaks(schemas_of_before(), now))


def test_what_the_rules_allow_is_no_break() -> None:
    """A new optional field, a new part, and on what aisle reads a value more."""
    now = deepcopy(schemas_of_before())
    now["Prediction"]["properties"]["new"] = {"type": "string", "default": ""}
    now["Feedback"]["properties"]["verdict"]["enum"].append("unsure")
    now["Another"] = {"properties": {}}
    assert [] == breaks(schemas_of_before(), now)
