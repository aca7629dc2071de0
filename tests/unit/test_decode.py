"""Reading products the short way: what comes out, or is refused, is what the whole way gives."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.errors import AisleError
from schemas.limits import MAX_DESCRIPTION_CHARS, MAX_ID_CHARS, MAX_TITLE_CHARS, MAX_URI_CHARS, MIB
from schemas.product import Product, read_product
from streams.decode import parse, parse_product
from tests.records import record
from tests.unit.test_product import JSON

TEXT = st.text(max_size=4) | st.sampled_from(
    ["", " ", "\x1c", "\u3000", "é" * MAX_ID_CHARS, "é" * (MAX_ID_CHARS + 1), "x" * MAX_TITLE_CHARS]
    + ["x" * (limit + 1) for limit in (MAX_TITLE_CHARS, MAX_URI_CHARS, MAX_DESCRIPTION_CHARS)]
)
ANY = TEXT | st.none() | st.integers() | JSON
IMAGE = st.fixed_dictionaries({}, optional={"uri": ANY, "base64": TEXT | st.none(), "media_type": ANY, "alt": TEXT})
OTHERS = ("productid", "designation", "imageid", "submitted_by", "attributes", "extra")
PRODUCT = st.fixed_dictionaries(
    {"product_id": TEXT | st.integers(), "title": TEXT | st.none()},
    optional={"description": ANY, "image": IMAGE | ANY, **dict.fromkeys(OTHERS, ANY)},
)


def outcome(read: Any, value: bytes) -> Any:
    """The product and which fields it was given, or what is wrong."""
    try:
        product = read(value)
    except ValidationError as error:
        return error.errors(include_url=False, include_context=False, include_input=False)
    return repr(product), product.model_fields_set, product.image and product.image.model_fields_set


@given(PRODUCT)
def test_the_short_way_reads_what_the_whole_way_reads(fields: dict[str, Any]) -> None:
    """The same product, or the same refusal, for the same reasons, whatever an object holds."""
    value = json.dumps(fields).encode()

    assert outcome(Product.model_validate_json, value) == outcome(read_product, value)


@pytest.mark.parametrize("field", ["product_id", "title", "description", "submitted_by", "imageid", "designation"])
@pytest.mark.parametrize("given", ["", " ", "\x1c\u3000", 7, None, "x" * 201, "x" * 1_001, "x" * 20_001, " " * 20_001])
def test_each_field_has_its_rule_either_way(field: str, given: object) -> None:
    """Blank, too long, null, a number: each field's own answer to it."""
    value = json.dumps({"product_id": "a", "title": "t", "description": "d"} | {field: given}).encode()

    assert outcome(Product.model_validate_json, value) == outcome(read_product, value)


@pytest.mark.parametrize(
    "value",
    [
        b'{"product_id":"a","title":"t","title":5}',
        b'{"product_id":"a","title":5,"title":"t"}',
        b'{"product_id":"a","title":"t","t\\u0069tle":" "}',
        b'{"product_id":"a","title":"t","image\\u0069d":7}',
        b'{"product_id":"a","title":"t","image":{"uri":"a","uri":5}}',
        b'{"product_id":"a","title":"\\ud800"}',
        b'{"product_id":"a","title":"t","x":NaN}',
        b'{"product_id":"\\u001c","title":"t"}',
        b' {"product_id":"a","title":"t"} ',
        b'{"product_id":"a","title":"t"}{}',
        b'"{}"',
        b"[1]",
    ],
)
def test_odd_json_is_read_alike(value: bytes) -> None:
    """Names given twice or spelled with escapes, lone surrogates, what is no object."""
    assert outcome(Product.model_validate_json, value) == outcome(read_product, value)


@pytest.mark.parametrize("value", [None, b"", b"nonsense", b"\xff", b"[" * 100_000, b"x" * (MIB + 1), b"{}"])
def test_a_refusal_reads_the_same(value: bytes | None) -> None:
    """A dead letter's reason does not tell which way was taken."""
    with pytest.raises(AisleError) as expected:
        parse(Product, record(value))
    with pytest.raises(AisleError) as actual:
        parse_product(record(value))

    assert (type(expected.value), str(expected.value)) == (type(actual.value), str(actual.value))
