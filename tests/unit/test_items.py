"""Items: which upserts a batch becomes."""

from base64 import b64encode
from hashlib import sha256
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pymongo import UpdateOne

from schemas.product import Product
from streams.items import Part, product_part, upserts
from tests.records import record


def _update(operation: UpdateOne) -> dict[str, Any]:
    assert isinstance(operation._doc, dict)
    return operation._doc


def test_the_parts_of_one_item_are_one_upsert() -> None:
    """Product and prediction of a batch cost one write."""
    product = Part("e1", "$min", "product", {"published_at": 1}, "p1")
    prediction = Part("e1", "$min", "prediction", {"classified_at": 2}, "p1")
    letter = Part("e1", "$max", "dead_letter", {"attempts": 1})

    (operation,) = upserts([product, prediction, letter])

    update = _update(operation)
    parts = {"product": {"published_at": 1}, "prediction": {"classified_at": 2}}
    assert parts | {"product_id": "p1"} == update["$min"]
    assert {"dead_letter": {"attempts": 1}} == update["$max"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["product", "prediction"]), st.integers())))
def test_no_part_is_lost_and_ids_are_sorted(given_parts: list[tuple[str, str, int]]) -> None:
    """Repeated parts all reach the store, which picks; bulks go in order of ids, so that they cannot deadlock."""
    parts = [Part(event_id, "$min", name, {"n": value}) for event_id, name, value in given_parts]

    operations = upserts(parts)

    ids = [operation._filter["_id"] for operation in operations]
    assert sorted(ids) == ids
    written = [
        (operation._filter["_id"], name, value["n"])
        for operation in operations
        for name, value in _update(operation)["$min"].items()
    ]
    assert sorted(given_parts) == sorted(written)


def test_a_photo_never_enters_the_document() -> None:
    """The document holds the photo's hash and size; its bytes are handed to the image store."""
    photo = b"\x89PNG not really"
    product = Product.model_validate({"product_id": "1", "image": {"base64": b64encode(photo).decode()}})
    photos: dict[str, bytes] = {}

    part = product_part("e", product, record(b""), photos)

    digest = sha256(photo).hexdigest()
    assert {digest: photo} == photos
    assert {"sha256": digest, "media_type": None, "bytes": len(photo)} == part.value["image"]


def test_a_broken_photo_is_noted() -> None:
    """What is no base64 leaves a word in the document and nothing in the image store."""
    product = Product.model_validate({"product_id": "1", "image": {"base64": "§§"}})
    photos: dict[str, bytes] = {}
    part = product_part("e", product, record(b""), photos)
    assert "not valid base64" in part.value["image"]["error"]
    assert {} == photos


def test_attribute_names_are_values_in_the_document() -> None:
    """Dots and dollars in attribute names are no operators."""
    product = Product.model_validate({"product_id": "1", "title": "t", "attributes": {"$set": 1, "a.b": [True]}})
    part = product_part("e", product, record(b""), {})
    assert [{"name": "$set", "value": 1}, {"name": "a.b", "value": [True]}] == part.value["attributes"]
