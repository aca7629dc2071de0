"""Dead letters: the reason travels in headers, the record stays as it came."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.dead_letter import DeadLetter, without_error_headers
from schemas.limits import MAX_ERROR_MESSAGE_BYTES

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
LETTERS = st.builds(
    DeadLetter,
    topic=TEXT,
    partition=st.integers(0, 2**31 - 1),
    offset=st.integers(0, 2**63 - 1),
    timestamp_ms=st.integers(-1, 2**63 - 1),
    stage=st.sampled_from(["decode", "preprocess", "infer", "poison"]),
    error_class=TEXT,
    message=st.text(st.characters(exclude_categories=["Cs"]), max_size=MAX_ERROR_MESSAGE_BYTES // 4),
    attempts=st.integers(1, 10**6),
    value_sha256=st.none() | st.just("0" * 64),
)


def letter(message: str = "not JSON", **changes: Any) -> DeadLetter:
    """A dead letter with this message."""
    fields = {"topic": "products.in", "partition": 1, "offset": 2, "timestamp_ms": 3, "stage": "decode"}
    return DeadLetter.model_validate({**fields, "error_class": "NotJson", "message": message, **changes})


@given(LETTERS)
def test_the_reason_is_read_back_as_it_was_written(reason: DeadLetter) -> None:
    """Any reason survives the way through headers."""
    assert DeadLetter.from_headers(reason.to_headers()) == reason


@pytest.mark.parametrize("char", ["x", "é", "語", "🍵"])
def test_a_long_message_is_cut_between_characters(char: str) -> None:
    """At most 1,000 bytes, and still text: no character is cut in half."""
    reason = DeadLetter.from_headers(letter(char * 2_000).to_headers())

    size = len(char.encode())
    assert reason.message == char * (MAX_ERROR_MESSAGE_BYTES // size)


def test_a_message_that_is_no_text_is_written_all_the_same() -> None:
    """An error message may quote broken text: it must not break the dead letter too."""
    assert DeadLetter.from_headers(letter("bad \ud800").to_headers()).message == "bad ?"


def test_the_records_own_headers_stay() -> None:
    """Without the error headers the record is what it was, repeats, order and any bytes included."""
    own = [("a", b"\xff\x00"), ("a", b"2"), ("aisle-event-id", b"x"), ("", b"")]

    assert without_error_headers([*own, *letter().to_headers()]) == own


def test_the_newest_reason_counts() -> None:
    """A letter that failed again carries the reason of its last attempt."""
    headers = [*letter("first").to_headers(), *letter("second", attempts=2).to_headers()]

    assert DeadLetter.from_headers(headers).message == "second"
    assert DeadLetter.from_headers(headers).attempts == 2


@pytest.mark.parametrize("broken", [[], [("aisle.errors.topic", b"x")], [("aisle.errors.partition", b"\xff")]])
def test_headers_that_are_no_dead_letters_are_refused(broken: list[tuple[str, bytes]]) -> None:
    """A record of somebody else's on the dead-letter topic is told from ours."""
    with pytest.raises(ValidationError):
        DeadLetter.from_headers(broken)


@pytest.mark.parametrize("change", [{"stage": "magic"}, {"attempts": 0}, {"partition": "x"}])
def test_what_is_no_reason_is_refused(change: dict[str, Any]) -> None:
    """Stages are the four of the contract, and an attempt was made."""
    with pytest.raises(ValidationError):
        letter(**change)
