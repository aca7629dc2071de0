"""The four parts of an item, as upserts that commute and can be repeated.

One document per event in ``items``; each part is one sub-document written from one topic. ``$min`` and ``$max``
compare whole sub-documents field by field in order, so the first fields decide which of two writes stays.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

from aiokafka.structs import ConsumerRecord
from bson import Binary
from pymongo import UpdateOne

from schemas.content import photo_content
from schemas.dead_letter import DeadLetter
from schemas.prediction import Prediction
from schemas.product import Image, Product
from schemas.shadow import ShadowPrediction
from streams.dead_letters import kept

Document = dict[str, Any]

_LAST_MS = 253_402_300_799_000  # 9999-12-31, where Python's calendar ends


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an item, to be written unless the one that is there comes before it (``$min``) or after (``$max``)."""

    event_id: str
    operator: Literal["$min", "$max"]
    name: str
    value: Document
    product_id: str | None = None


def record_time(record: ConsumerRecord) -> datetime:
    """The record's own timestamp; the epoch for a producer that gives none, the year 9999 for one beyond it."""
    return datetime.fromtimestamp(min(max(record.timestamp, 0), _LAST_MS) / 1000, UTC)


def product_part(event_id: str, product: Product, record: ConsumerRecord, photos: dict[str, bytes]) -> Part:
    """The product as published first; a photo is added to ``photos`` by its SHA-256 and only its reference stays.

    Of a photo that lies elsewhere the reference is its uri, until somebody has copied it (`copied`).
    """
    part: Document = {"published_at": record_time(record), "title": product.title, "description": product.description}
    if product.image is not None:
        part["image"] = _image_reference(product.image, photos)
    if product.attributes:
        # As pairs: attribute names may hold dots and dollars, which document keys should not.
        part["attributes"] = [{"name": name, "value": value} for name, value in product.attributes.items()]
    if product.submitted_by is not None:
        part["submitted_by"] = product.submitted_by
    return Part(event_id, "$min", "product", part, product.product_id)


def prediction_part(prediction: Prediction, record: ConsumerRecord) -> Part:
    """The earliest prediction of the event, and the partition it is on: what a person says of it goes there too."""
    fields = prediction.model_dump(exclude={"event_id", "product_id", "classified_at"}, exclude_none=True)
    part: Document = {"classified_at": prediction.classified_at, **fields, "partition": record.partition}
    return Part(prediction.event_id, "$min", "prediction", part, prediction.product_id)


def dead_letter_part(event_id: str, reason: DeadLetter, record: ConsumerRecord) -> Part:
    """The dead letter of the last attempt, its key, value and headers as opaque bytes where they fit."""
    key, value, headers = kept(record)
    if value is None and record.value is not None:  # no room here: told from a value that was null
        reason = reason.model_copy(update={"value_sha256": sha256(record.value).hexdigest()})
    part: Document = {
        "attempts": reason.attempts,
        "at": record_time(record),
        **reason.model_dump(exclude={"attempts"}, exclude_none=True),
        "key": None if key is None else Binary(key),
        "value": None if value is None else Binary(value),
        "headers": [{"name": name, "value": None if content is None else Binary(content)} for name, content in headers],
    }
    return Part(event_id, "$max", "dead_letter", part)


def upserts(parts: Iterable[Part]) -> list[UpdateOne]:
    """One upsert per item, sorted by id; a part that comes twice in the batch gets an upsert of its own.

    Sorted, as two bulks that lock the same documents in different orders can deadlock on some servers.
    """
    by_item: dict[str, list[dict[str, Part]]] = {}
    for part in parts:
        layers = by_item.setdefault(part.event_id, [])
        free = next((layer for layer in layers if part.name not in layer), None)
        if free is None:
            layers.append({part.name: part})
        else:
            free[part.name] = part
    return [_upsert(event_id, layer) for event_id in sorted(by_item) for layer in by_item[event_id]]


def _upsert(event_id: str, parts: dict[str, Part]) -> UpdateOne:
    update: Document = {}
    for part in parts.values():
        update.setdefault(part.operator, {})[part.name] = part.value
        if part.product_id is not None:
            # $min, so that even an event id that two products share ends the same in any order.
            update.setdefault("$min", {})["product_id"] = part.product_id
    return UpdateOne({"_id": event_id}, update, upsert=True)


def shadow_upserts(scores: Iterable[ShadowPrediction]) -> list[UpdateOne]:
    """Answers in the shadow, a document for each event and version; the earliest of several stays.

    Sorted as above.
    """
    by_id: dict[str, ShadowPrediction] = {}
    for score in scores:
        key = f"{score.event_id}/{score.model.version}"
        if key not in by_id or score.scored_at < by_id[key].scored_at:
            by_id[key] = score
    return [UpdateOne({"_id": key}, _shadow_update(by_id[key]), upsert=True) for key in sorted(by_id)]


def _shadow_update(score: ShadowPrediction) -> Document:
    outer = {"event_id", "product_id", "model"}
    fields = score.model_dump(exclude=outer | {"scored_at"}, exclude_none=True)
    known = {"event_id": score.event_id, "product_id": score.product_id, "version": score.model.version}
    return {"$min": {"score": {"scored_at": score.scored_at, **fields}}, "$set": known | {"name": score.model.name}}


def copied(image: Image, digest: str, size_bytes: int) -> Document:
    """The reference to a photo that was named by its uri, once it is in the image store too.

    The hash comes first: ``$min`` then takes this for less than the bare uri, so that a replay for which the photo is
    gone, or not to be had in time, takes nothing away.
    """
    return {"sha256": digest, "media_type": image.media_type, "bytes": size_bytes, "uri": image.uri}


def _image_reference(image: Image, photos: dict[str, bytes]) -> Document:
    if image.base64 is None:
        return {"uri": image.uri}
    content = photo_content(image)
    if content is None:
        return {"error": "the photo is not valid base64", "media_type": image.media_type}
    digest = sha256(content).hexdigest()
    photos[digest] = content
    return {"sha256": digest, "media_type": image.media_type, "bytes": len(content)}
