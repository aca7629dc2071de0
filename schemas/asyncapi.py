"""The topics as an AsyncAPI 3.0 document, and the values of their records as JSON Schemas (draft 2020-12)."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from schemas import headers as names
from schemas.dead_letter import DeadLetter
from schemas.feedback import Feedback
from schemas.model_event import ModelEvent
from schemas.prediction import Prediction
from schemas.product import Product
from schemas.shadow import ShadowPrediction
from schemas.topics import (
    FEEDBACK,
    FEEDBACK_DLQ,
    MODELS_EVENTS,
    PREDICTIONS_OUT,
    PRODUCTS_DLQ,
    PRODUCTS_IN,
    SHADOW_OUT,
    TOPICS,
    VERDICTS,
    TopicSpec,
)
from schemas.verdict import ContentVerdict

VERSION: Final = "1.0.0"
"""Of the contract: the first number changes when a consumer or producer of before would no longer be understood."""

_REF: Final = "#/components/schemas/{model}"
_BINDING: Final = "0.5.0"

_EVENT_HEADERS: Final = {
    names.EVENT_ID: "The event's id, a UUID. Without it, the id is made of the CloudEvents id, else of the record.",
    names.CE_ID: "CloudEvents 1.0, Kafka binding: the id within the source.",
    names.CE_SOURCE: "CloudEvents 1.0: who published it.",
    names.CE_TYPE: "CloudEvents 1.0: what it is.",
    names.CE_SPECVERSION: "CloudEvents 1.0: 1.0.",
    names.CE_TIME: "CloudEvents 1.0: when it came about, RFC 3339.",
    names.CONTENT_TYPE: "application/json.",
    names.REPLAY: "The replay that sent it again.",
    names.REPLAY_SOURCE: "Where that replay took it from: topic, partition and offset, with slashes between.",
    names.TRACEPARENT: "W3C trace context.",
}


@dataclass(frozen=True)
class _Message:
    """What travels on a topic.

    Args:
        model: What its value is; None for bytes as they came.
        key: What its key is, in words.
        aisle: What aisle does with the topic.
    """

    model: type[BaseModel] | None
    key: str
    aisle: tuple[Literal["send", "receive"], ...]


_MESSAGES: Final = {
    PRODUCTS_IN: _Message(Product, "product_id, so that answers keep the order of a product's events", ("receive",)),
    PREDICTIONS_OUT: _Message(Prediction, "product_id", ("send",)),
    FEEDBACK: _Message(Feedback, "product_id, or event_id where no product is named", ("receive", "send")),
    PRODUCTS_DLQ: _Message(None, "as it came", ("send",)),
    FEEDBACK_DLQ: _Message(None, "as it came", ("send",)),
    MODELS_EVENTS: _Message(ModelEvent, "the model's name and its alias, with a slash between", ("send", "receive")),
    VERDICTS: _Message(ContentVerdict, "SHA-256 of the JSON array [title, description, photo]", ("send", "receive")),
    SHADOW_OUT: _Message(ShadowPrediction, "product_id", ("send",)),
}


def json_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of every value, by the name of its model, and of the parts that they share."""
    models = [message.model for message in _MESSAGES.values() if message.model is not None]
    # As what is read accepts it: the topics are what producers write to.
    _, document = models_json_schema([(model, "validation") for model in models], ref_template=_REF)
    return dict(document["$defs"])


def asyncapi() -> dict[str, Any]:
    """The whole document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "aisle",
            "version": VERSION,
            "description": "Products in, predictions out: the topics of an event-driven product classifier.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_name(spec.name): _channel(spec) for spec in TOPICS},
        "operations": {
            f"{action}-{_name(spec.name)}": _operation(spec, action)
            for spec in TOPICS
            for action in _MESSAGES[spec.name].aisle
        },
        "components": {
            "schemas": json_schemas(),
            "messages": {_name(spec.name): _message(spec) for spec in TOPICS},
        },
    }


def _channel(spec: TopicSpec) -> dict[str, Any]:
    config = spec.config()
    configuration: dict[str, Any] = {"cleanup.policy": [config["cleanup.policy"]]}
    configuration |= {key: int(config[key]) for key in ("retention.ms", "max.message.bytes") if key in config}
    kafka: dict[str, Any] = {"topic": spec.name, "topicConfiguration": configuration, "bindingVersion": _BINDING}
    if spec.partitions is not None:
        kafka["partitions"] = spec.partitions
    return {
        "address": spec.name,
        "description": spec.purpose[:1].upper() + spec.purpose[1:] + ".",
        "messages": {_name(spec.name): {"$ref": f"#/components/messages/{_name(spec.name)}"}},
        "bindings": {"kafka": kafka},
    }


def _operation(spec: TopicSpec, action: str) -> dict[str, Any]:
    name = _name(spec.name)
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
    }


def _message(spec: TopicSpec) -> dict[str, Any]:
    message = _MESSAGES[spec.name]
    texts = dict(_EVENT_HEADERS)
    if message.model is None:
        payload: dict[str, Any] = {"description": "The bytes of the record that failed, as they came."}
        texts |= {name: _said_of(name) for name, _ in _example_of_errors()}
    else:
        payload = {"$ref": _REF.format(model=message.model.__name__)}
    return {
        "name": message.model.__name__ if message.model is not None else "DeadLetter",
        "title": spec.purpose[:1].upper() + spec.purpose[1:],
        "headers": {
            "type": "object",
            "properties": {name: {"type": "string", "description": text} for name, text in texts.items()},
        },
        "payload": payload,
        "bindings": {"kafka": {"key": {"type": "string", "description": message.key}, "bindingVersion": _BINDING}},
    }


def _example_of_errors() -> list[tuple[str, bytes]]:
    place = {"topic": "t", "partition": 0, "offset": 0, "timestamp_ms": 0}
    return DeadLetter(**place, stage="decode", error_class="e", message="m", value_sha256="0").to_headers()


def _said_of(header: str) -> str:
    field = DeadLetter.model_fields[header.rpartition(".")[2]]
    return field.description or f"Of the record that failed: {header.rpartition('.')[2].replace('_', ' ')}."


def _name(topic: str) -> str:
    return topic.replace(".", "-")
