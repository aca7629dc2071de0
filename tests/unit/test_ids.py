"""Event ids: the same record always has the same one, and no two records share one."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.headers import CE_ID, CE_SOURCE, EVENT_ID, Headers
from schemas.ids import cloudevent_id, event_id

GIVEN = "0b6ee0a6-0000-5000-8000-00000000cafe"
RECORD: dict[str, Any] = {"topic": "products.in", "partition": 3, "offset": 17, "timestamp_ms": 1_700, "value": b"{}"}


def ident(headers: Headers = (), **changes: Any) -> str:
    """The id of a record that differs from the usual one in these."""
    return event_id(headers, **(RECORD | changes))


def test_ids_do_not_change_with_the_code() -> None:
    """Ids are in stores and topics for years: these must come out the same for ever."""
    assert ident() == "0accc659-5840-5a34-9cb2-d436aeb258b7"
    assert cloudevent_id("shop", "42") == "b47e37a8-7816-510b-8c2e-aa30c4e0db87"


def test_the_given_id_goes_first() -> None:
    """What aisle publishes again keeps the id of its first time, wherever it travels."""
    headers = [(CE_SOURCE, b"shop"), (CE_ID, b"42"), (EVENT_ID, GIVEN.upper().encode())]

    assert ident(headers) == GIVEN
    assert ident(headers, offset=99, value=b"x") == GIVEN


def test_the_pair_of_a_cloudevent_goes_second() -> None:
    """The same CloudEvent sent twice is one event, whatever its offset and value."""
    headers = [(CE_SOURCE, b"shop"), (CE_ID, b"42")]

    assert ident(headers) == ident(headers, offset=99, value=b"x") == cloudevent_id("shop", "42")
    assert ident(headers) != ident()


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"42",
        b"not-a-uuid-but-of-the-length-of-one!",
        b"\xff" * 36,
        GIVEN.encode() + b"0",
        b"urn:uuid:" + GIVEN.encode(),
        GIVEN[:-1].encode() + b"g",
    ],
)
def test_a_given_id_that_is_none_is_passed_over(given: bytes) -> None:
    """A producer's mistake in the header does not make ids that are no UUIDs."""
    assert ident([(EVENT_ID, given)]) == ident()


@pytest.mark.parametrize("pair", [[(CE_ID, b"42")], [(CE_SOURCE, b"s")], [(CE_ID, b""), (CE_SOURCE, b"s")]])
def test_half_a_pair_is_none(pair: Headers) -> None:
    """An id is unique only within its source."""
    assert ident(pair) == ident()


def test_a_pair_of_absurd_length_is_passed_over() -> None:
    """Hashing a megabyte of header for each record is no way to name it."""
    assert ident([(CE_SOURCE, b"s" * 2_000), (CE_ID, b"42")]) == ident()


@pytest.mark.parametrize(
    "change",
    [{"topic": "x"}, {"partition": 4}, {"offset": 18}, {"timestamp_ms": 1_701}, {"value": b"[]"}, {"value": None}],
)
def test_every_coordinate_counts(change: dict[str, Any]) -> None:
    """A topic made anew starts at offset 0 again: time and content tell its records from the old ones."""
    assert ident(**change) != ident()


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_different_pairs_have_different_ids(source: str, identity: str, source2: str, identity2: str) -> None:
    """The parts are kept apart: ("a", "bc") is not ("ab", "c")."""
    same = (source, identity) == (source2, identity2)

    assert (cloudevent_id(source, identity) == cloudevent_id(source2, identity2)) == same


@given(
    st.lists(st.tuples(st.sampled_from([EVENT_ID, CE_ID, CE_SOURCE, "x"]), st.binary(max_size=40))),
    st.binary() | st.none(),
)
def test_any_headers_give_one_uuid(headers: list[tuple[str, bytes]], value: bytes | None) -> None:
    """Whatever bytes the headers hold, the id is a canonical UUID, and the same at each reading."""
    first = ident(headers, value=value)

    assert str(UUID(first)) == first == ident(list(headers), value=value)
