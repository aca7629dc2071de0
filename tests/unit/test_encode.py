"""What is published is the contract's prediction, though no model class writes it."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.classifier import Classification
from schemas import headers as names
from schemas.prediction import Category, ModelRef, Prediction, RankedCategory
from schemas.product import Product
from streams.decode import Received
from streams.encode import PredictionEncoder
from tests.records import record

EVENT = "0b8e0000-0000-4000-8000-000000000001"
MODEL = ModelRef(name="shelf", version='1 "é"')
NOW = datetime(2026, 11, 21, 12, 0, 0, 123456, UTC)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
CATEGORY = st.builds(Category, code=TEXT, label=TEXT, theme=st.none() | TEXT)
SHARE = st.floats(0, 1, width=32) | st.sampled_from([1e-7, 1e-5, 1e-4, float(np.float32(1e-38))])
ANSWER = st.builds(
    lambda top, needs_review, modalities, notes: Classification(
        top[0][0], top[0][1], top, needs_review, "text", modalities, notes
    ),
    st.lists(st.tuples(CATEGORY, SHARE), min_size=1, max_size=6),
    st.booleans(),
    st.sampled_from([(), ("title",), ("title", "description")]),
    st.lists(TEXT, max_size=3),
)


def received(product_id: str = "p", **fields: object) -> Received:
    """A product of that id, in a record that is made so."""
    return Received(record(b"{}", **fields), EVENT, Product(product_id=product_id, title="tea"))  # type: ignore[arg-type]


def built(answer: Classification, product_id: str, at: datetime) -> Prediction:
    """The same prediction by way of the contract's classes."""
    return Prediction(
        event_id=EVENT,
        product_id=product_id,
        category=answer.category,
        confidence=answer.confidence,
        top=[RankedCategory(code=one.code, label=one.label, probability=share) for one, share in answer.top],
        needs_review=answer.needs_review,
        decided_by=answer.decided_by,
        modalities=list(answer.modalities),
        notes=list(answer.notes),
        model=MODEL,
        classified_at=at,
    )


@given(ANSWER, TEXT.filter(str.strip), st.datetimes(timezones=st.just(UTC)))
def test_every_record_is_the_prediction_that_the_contract_writes(
    answer: Classification, product_id: str, at: datetime
) -> None:
    """Byte for byte: order of fields, absent theme, escapes, digits, time."""
    made = PredictionEncoder(MODEL, at).record(received(product_id), answer)
    expected = built(answer, product_id, at)

    assert made.value is not None
    assert expected == Prediction.model_validate_json(made.value)
    assert expected.model_dump_json(exclude_none=True).encode() == made.value


def test_a_prediction_travels_as_a_cloudevent_to_its_products_place() -> None:
    """Partition and key are the product's; the headers are those of the CloudEvents binding, in order."""
    answer = Classification(Category(code="1", label="tea"), 0.5, [], True, "text", (), ())
    made = PredictionEncoder(MODEL, NOW).record(received("é", partition=3), answer)

    assert (3, "é".encode(), None) == (made.partition, made.key, made.timestamp_ms)
    assert [
        (names.EVENT_ID, EVENT.encode()),
        (names.CE_ID, EVENT.encode()),
        (names.CE_SOURCE, b"aisle/classify"),
        (names.CE_TYPE, b"io.aisle.prediction.v1"),
        (names.CE_SPECVERSION, b"1.0"),
        (names.CE_TIME, b"2026-11-21T12:00:00.123456+00:00"),
        (names.CONTENT_TYPE, b"application/json"),
    ] == list(made.headers)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01", True),
        (b"00-" + b"A" * 32 + b"-" + b"b" * 16 + b"-01", False),
        (b"\xff", False),
        (b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01\n", False),
    ],
)
def test_a_trace_goes_on_and_nothing_else_does(given: bytes, kept: bool) -> None:
    """A well-formed traceparent reaches the consumer; what only looks like one stays behind, the next has none."""
    encoder = PredictionEncoder(MODEL, NOW)
    answer = Classification(Category(code="1", label="tea"), 0.5, [], True, "text", (), ())
    first = encoder.record(received(headers=[(names.TRACEPARENT, given), ("own", b"1")]), answer)
    second = encoder.record(received(), answer)

    assert ([(names.TRACEPARENT, given)] if kept else []) == list(first.headers)[7:]
    assert [] == list(second.headers)[7:]
