"""Record headers: any bytes may come, the last one counts."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.headers import last_text


def test_the_last_of_a_repeated_header_counts() -> None:
    """Kafka allows repeats; whoever adds one later means it."""
    assert last_text([("a", b"1"), ("b", b"x"), ("a", b"2")], "a") == "2"


def test_absent_null_and_unreadable_are_none() -> None:
    """None of them is text; an unreadable last one does not bring back an earlier one."""
    assert last_text([], "a") is None
    assert last_text([("a", None)], "a") is None
    assert last_text([("a", b"1"), ("a", b"\xff")], "a") is None


def test_names_are_told_apart_by_case() -> None:
    """Kafka's header keys are not HTTP's."""
    assert last_text([("CE_ID", b"1")], "ce_id") is None


@given(st.lists(st.tuples(st.text(max_size=3), st.binary(max_size=5) | st.none())), st.text(max_size=3))
def test_no_headers_break_it(headers: list[tuple[str, bytes | None]], name: str) -> None:
    """What is found stands under that name."""
    found = last_text(headers, name)

    assert found is None or (name, found.encode()) in headers
