"""The contract of the topics as a page shows it: the AsyncAPI document, resolved into tables."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from schemas.asyncapi import asyncapi

_REF: Final = "$ref"
_DAY_MS: Final = 24 * 3600 * 1000

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A field of a value, or a header.

    Args:
        name: With the names of what it is in, as in ``top[].code``.
        type: Its type and limits.
        needed: Whether it has to be there.
        text: What it means.
    """

    name: str
    type: str
    needed: bool
    text: str


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic with what travels on it.

    Args:
        name: The topic's.
        purpose: What it is for.
        actions: What aisle does with it: send, receive, or both.
        days: How long records are kept; None where the last of each key is.
        key: What a record's key is.
        value: The name of the value's model; None for bytes as they came.
        text: What the value is.
        fields: The value's.
        headers: The record's, all optional.
    """

    name: str
    purpose: str
    actions: tuple[str, ...]
    days: int | None
    key: str
    value: str | None
    text: str
    fields: tuple[Part, ...]
    headers: tuple[Part, ...]


@cache
def topics() -> tuple[Topic, ...]:
    """All topics, in the document's order."""
    document = asyncapi()
    schemas, operations = document["components"]["schemas"], document["operations"].values()
    actions = {
        name: tuple(one["action"] for one in operations if one["channel"][_REF].endswith(f"/{name}"))
        for name in document["channels"]
    }
    messages = document["components"]["messages"]
    return tuple(_topic(one, messages[name], actions[name], schemas) for name, one in document["channels"].items())


def _topic(channel: Schema, message: Schema, actions: tuple[str, ...], schemas: Schema) -> Topic:
    kept = channel["bindings"]["kafka"]["topicConfiguration"].get("retention.ms")
    payload, named = _resolved(message["payload"], schemas), _REF in message["payload"]
    headers = message["headers"]["properties"].items()
    return Topic(
        name=channel["address"],
        purpose=channel["description"],
        actions=actions,
        days=None if kept is None else kept // _DAY_MS,
        key=message["bindings"]["kafka"]["key"]["description"],
        value=message["name"] if named else None,
        text=payload.get("description", "").partition("\n\n")[0].replace("``", ""),
        fields=tuple(_fields(payload, schemas)),
        headers=tuple(Part(name, "string", False, one["description"]) for name, one in headers),
    )


def _fields(schema: Schema, schemas: Schema, within: str = "") -> Iterator[Part]:
    """The fields of an object, those of objects in it behind it."""
    needed = schema.get("required", ())
    for name, found in schema.get("properties", {}).items():
        field = _resolved(found, schemas)
        text = found.get("description") or field.get("description", "")
        yield Part(within + name, _type(field, schemas), name in needed, text.partition("\n\n")[0].replace("``", ""))
        inner, prefix = field, f"{within}{name}."
        if field.get("type") == "array":
            inner, prefix = _resolved(field["items"], schemas), f"{within}{name}[]."
        yield from _fields(inner, schemas, prefix)


def _resolved(schema: Schema, schemas: Schema) -> Schema:
    """What a reference stands for; of a choice that may be null, the other one."""
    if _REF in schema:
        return dict(schemas[schema[_REF].rpartition("/")[2]])
    others = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    return dict(schema) | dict(_resolved(others[0], schemas)) if len(others) == 1 else schema


def _type(schema: Schema, schemas: Schema) -> str:
    if "anyOf" in schema and "type" not in schema:
        return " | ".join(_type(_resolved(one, schemas), schemas) for one in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return " | ".join(f'"{one}"' for one in schema.get("enum", [schema.get("const")]))
    kind = str(schema.get("type", ""))
    if kind == "array":
        return f"{_type(_resolved(schema['items'], schemas), schemas)}[]"
    kind = str(schema.get("format", kind))
    if (most := schema.get("maxLength")) is not None:
        return f"{kind} ≤ {most:,}".replace(",", "\u202f")
    if "minimum" in schema and "maximum" in schema:
        return f"{kind} {schema['minimum']:g} … {schema['maximum']:g}"
    return kind
