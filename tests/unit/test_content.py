"""Contents: what makes two products the same to a person who decides what they are."""

import json
from base64 import b64encode
from hashlib import sha256
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from infra.stored_items import content_of
from schemas.content import content_key, key_of
from schemas.product import Product
from streams.items import product_part
from tests.records import record

TEXT = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
IMAGE = st.one_of(
    st.none(),
    st.builds(lambda uri: {"uri": uri}, st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)),
    st.builds(lambda content: {"base64": b64encode(content).decode()}, st.binary(min_size=1, max_size=40)),
    st.just({"base64": "§§"}),
)


def product(**fields: Any) -> Product:
    """A product with these."""
    return Product.model_validate({"product_id": "p", **fields})


@given(TEXT, TEXT, IMAGE)
def test_what_is_stored_has_the_key_of_what_came(title: str | None, description: str | None, image: Any) -> None:
    """The archive, which has the item, and a worker, which has the product, mean the same content."""
    made = product(title=title, description=description, image=image or {"uri": "always.jpg"})

    assert key_of(made) == content_of(product_part("e", made, record(b""), {}).value)


def test_only_title_description_and_photo_count() -> None:
    """Another id, sender or attribute is no other product; each of the three is."""
    key = key_of(product(title="tea", description="green"))

    assert key == key_of(product(title="tea", description="green", submitted_by="ana", attributes={"a": 1}))
    assert key == key_of(product(product_id="q", title="tea", description="green", unknown=1))
    usual: dict[str, Any] = {"title": "tea", "description": "green"}
    others: list[dict[str, Any]] = [
        {"title": "Tea"},
        {"description": "black"},
        {"title": None},
        {"image": {"uri": "a.jpg"}},
    ]
    assert 5 == len({key, *(key_of(product(**(usual | one))) for one in others)})
    assert key_of(product(title="tea")) != key_of(product(description="tea"))


def test_a_photo_is_its_bytes_wherever_they_are_kept() -> None:
    """The same photo in the event and in the image store is one content; one that is not base64 is none."""
    digest = sha256(b"photo").hexdigest()
    there = product(title="tea", image={"base64": b64encode(b"photo").decode()})

    assert key_of(there) == key_of(product(title="tea", image={"uri": f"sha256:{digest}"}))
    assert key_of(product(title="tea")) == key_of(product(title="tea", image={"base64": "§§"}))


def test_the_key_is_what_the_contract_says() -> None:
    """Whoever reads the topic without aisle makes the same keys, with nothing but JSON and SHA-256."""
    text = json.dumps(["Thé \n", None, "a.jpg"], separators=(",", ":"), ensure_ascii=False)

    assert sha256(text.encode()).hexdigest() == content_key("Thé \n", None, "a.jpg")
