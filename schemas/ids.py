"""Deterministic event ids: the same record always has the same one."""

import re
from hashlib import sha256
from typing import Annotated, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import AfterValidator, WithJsonSchema

from schemas.headers import CE_ID, CE_SOURCE, EVENT_ID, Headers, last_text

NAMESPACE: Final = uuid5(NAMESPACE_URL, "urn:aisle:event")
_MAX_HEADER_CHARS = 1_000
_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def event_id(
    headers: Headers, *, topic: str, partition: int, offset: int, timestamp_ms: int, value: bytes | None
) -> str:
    """The id of a record's event, from the first of these that it has.

    1. the header ``aisle-event-id`` (a UUID; anything else is passed over);
    2. UUIDv5 of the CloudEvents pair (``ce_source``, ``ce_id``), which is unique by that specification;
    3. UUIDv5 of topic, partition, offset, timestamp and the value's SHA-256, so that a topic made anew
       does not use an id twice.

    Args:
        headers: The record's headers.
        topic: Its topic.
        partition: Its partition.
        offset: Its offset in the partition.
        timestamp_ms: The record's own timestamp, in milliseconds since the epoch.
        value: Its value as it came.
    """
    if headers:
        if (given := _uuid_or_none(last_text(headers, EVENT_ID))) is not None:
            return given
        source, identity = last_text(headers, CE_SOURCE), last_text(headers, CE_ID)
        if source and identity and len(source) + len(identity) <= _MAX_HEADER_CHARS:
            return cloudevent_id(source, identity)
    digest = sha256(value or b"").hexdigest()
    return str(uuid5(NAMESPACE, f"record\n{topic}\n{partition}\n{offset}\n{timestamp_ms}\n{digest}"))


CANARY: Final = "aisle-canary-"
"""How the product ids of canaries begin: products with known categories that the monitor sends. They are no products of
the user's, and no figure but their own counts them."""


def is_canary(product_id: str | None) -> bool:
    """Whether a product is one of the monitor's own."""
    return product_id is not None and product_id.startswith(CANARY)


def cloudevent_id(source: str, identity: str) -> str:
    """The event id of a CloudEvent, which its source and id name uniquely."""
    return str(uuid5(NAMESPACE, f"cloudevent\n{len(source)}\n{source}\n{identity}"))


def _canonical(text: str) -> str:
    canonical = _uuid_or_none(text)
    if canonical is None:
        raise ValueError("an event id is a UUID")
    return canonical


EventId = Annotated[str, AfterValidator(_canonical), WithJsonSchema({"type": "string", "format": "uuid"})]
"""A UUID in its canonical form: lower case, with hyphens."""


def _uuid_or_none(text: str | None) -> str | None:
    if text is None or len(text) != 36:
        return None
    if _CANONICAL.fullmatch(text):  # as aisle itself writes it: a fifth of the time that the class takes
        return text
    try:
        return str(UUID(text))
    except ValueError:
        return None
