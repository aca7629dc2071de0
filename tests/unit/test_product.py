"""What a product may be, and what is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.limits import MAX_ATTRIBUTES, MAX_DESCRIPTION_CHARS, MAX_ID_CHARS, MAX_TITLE_CHARS, MAX_URI_CHARS
from schemas.product import Product

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("product_id", "productid", "title", "designation", "description", "image", "imageid", "attributes", "extra")


def product(**fields: Any) -> Product:
    """A product from JSON, as it comes from a topic."""
    return Product.model_validate_json(json.dumps({"product_id": "p1", **fields}))


@pytest.mark.parametrize("content", [{"title": "tea"}, {"description": "green"}, {"image": {"uri": "a.jpg"}}])
def test_any_one_part_is_enough(content: dict[str, Any]) -> None:
    """A title, a description or a photo: one of them makes a product."""
    assert product(**content).product_id == "p1"


@pytest.mark.parametrize("content", [{}, {"title": None}, {"title": " \n"}, {"title": "", "description": "\t"}])
def test_a_product_without_content_is_refused(content: dict[str, Any]) -> None:
    """Nothing to go by: blank text is no text. The reason says what is needed."""
    with pytest.raises(ValidationError, match="at least one of title, description and image"):
        product(**content)


def test_a_blank_part_beside_a_good_one_is_absent() -> None:
    """Catalogues send empty descriptions: they are no part of the product."""
    assert product(title="tea", description=" ").description is None


def test_the_challenge_names_are_accepted() -> None:
    """designation, productid and imageid as the marketplace data has them, with its file naming."""
    made = Product.model_validate_json('{"productid": 3804725264, "designation": "thé", "imageid": 1263597046}')

    assert (made.product_id, made.title) == ("3804725264", "thé")
    assert made.image is not None
    assert made.image.uri == "image_1263597046_product_3804725264.jpg"


def test_an_image_goes_before_the_challenge_name_of_one() -> None:
    """Whoever gives both gets the explicit one."""
    made = product(image={"uri": "mine.jpg"}, imageid=5)

    assert made.image is not None
    assert made.image.uri == "mine.jpg"


@pytest.mark.parametrize("imageid", ["", "  ", None, True, False, 1.5, [1]])
def test_an_image_name_that_names_nothing_is_no_image(imageid: Any) -> None:
    """An empty cell of a table is no photo, and makes no product by itself."""
    assert product(title="tea", imageid=imageid).image is None
    with pytest.raises(ValidationError):
        product(imageid=imageid)


def test_our_names_are_read_back_after_a_round_trip() -> None:
    """What aisle publishes again validates again, to the same product."""
    made = product(title="tea", attributes={"organic": True, "tags": ["a", 1, None]}, image={"base64": "AA=="})

    assert Product.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize("unknown", [{"price": 5}, {"nested": {"a": []}}, {"Title": "no"}])
def test_unknown_fields_are_ignored(unknown: dict[str, Any]) -> None:
    """Producers may send more than aisle reads."""
    assert product(title="tea", **unknown) == product(title="tea")


@pytest.mark.parametrize(("product_id", "text"), [("a", "a"), (7, "7"), (-1, "-1"), (2**80, str(2**80)), (" x", " x")])
def test_numbers_are_ids(product_id: Any, text: str) -> None:
    """A numbered catalogue needs no quotes around its ids."""
    assert product(product_id=product_id, title="tea").product_id == text


@pytest.mark.parametrize("product_id", ["", " ", None, True, 1.5, [], {}, "x" * (MAX_ID_CHARS + 1), 10**300])
def test_what_is_no_id_is_refused(product_id: Any) -> None:
    """Blank, too long, a boolean, a fraction, a structure: none of them names a product."""
    with pytest.raises(ValidationError):
        product(product_id=product_id, title="tea")


@pytest.mark.parametrize(
    ("field", "limit"),
    [("title", MAX_TITLE_CHARS), ("description", MAX_DESCRIPTION_CHARS), ("submitted_by", MAX_ID_CHARS)],
)
def test_text_up_to_its_limit_is_accepted(field: str, limit: int) -> None:
    """Limits are in characters, in any script, and the last one fits."""
    assert len(getattr(product(**{"title": "t", field: "é" * limit}), field)) == limit
    with pytest.raises(ValidationError, match=field):
        product(**{"title": "t", field: "é" * (limit + 1)})


@pytest.mark.parametrize("title", [5, True, ["10", "40"], {"fr": "thé"}])
def test_a_title_is_text(title: Any) -> None:
    """A code list where a title should be is an error in the producer, not a title."""
    with pytest.raises(ValidationError, match="title"):
        product(title=title)


def test_python_values_are_held_to_the_same_rules() -> None:
    """An agent validates what its JSON reader made: nothing is turned into text silently."""
    assert Product.model_validate({"product_id": 7, "title": "tea"}) == product(product_id=7, title="tea")
    for title in (b"tea", 5):
        with pytest.raises(ValidationError):
            Product.model_validate({"product_id": "p", "title": title})


@pytest.mark.parametrize(
    "image",
    [{}, {"uri": "a", "base64": "AA=="}, {"uri": ""}, {"uri": "x" * (MAX_URI_CHARS + 1)}, {"uri": 5}, "a.jpg", []],
)
def test_an_image_has_exactly_one_source(image: Any) -> None:
    """Either a reference or the bytes, within the limits."""
    with pytest.raises(ValidationError):
        product(title="tea", image=image)


@pytest.mark.parametrize(
    "attributes",
    [
        {f"a{n}": 1 for n in range(MAX_ATTRIBUTES + 1)},
        {"a": list(range(MAX_ATTRIBUTES + 1))},
        {"a": {"b": 1}},
        {"a": [[1]]},
        {"": 1},
        {"a": 2**63},
        {"a": "x" * (MAX_DESCRIPTION_CHARS + 1)},
        ["a"],
    ],
)
def test_attributes_are_flat_and_bounded(attributes: Any) -> None:
    """Names with plain values or short lists of them: nothing that a store would choke on."""
    with pytest.raises(ValidationError):
        product(title="tea", attributes=attributes)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_attributes_are_real_numbers(number: str) -> None:
    """NaN and infinities are not JSON and break every reader after us."""
    with pytest.raises(ValidationError):
        Product.model_validate_json(f'{{"product_id": "p", "title": "t", "attributes": {{"a": {number}}}}}')


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_anything_is_a_product_or_refused(fields: dict[str, Any]) -> None:
    """No JSON object makes validation fail otherwise than by saying what is wrong; what passes keeps the promises."""
    try:
        made = Product.model_validate(fields)
    except ValidationError:
        return
    assert made.product_id.strip()
    assert made.title or made.description or made.image
