"""How often an event was tried travels with it, and with nothing else."""

from typing import Any

import pytest
from aiokafka.structs import ConsumerRecord
from bson import decode, encode

from infra.dead_letters import Letter, _letter
from infra.kafka.producer import OutRecord
from infra.retry import record_of
from schemas.dead_letter import DeadLetter, earlier_attempts, without_error_headers
from schemas.headers import ATTEMPTS, EVENT_ID
from schemas.topics import PRODUCTS_DLQ
from streams.dead_letters import MAX_HEADERS, dead_letter
from streams.decode import id_of
from streams.errors import RecordInvalid
from streams.items import dead_letter_part
from tests.records import record

EVENT = "0b8e0000-0000-4000-8000-000000000001"


def archived(sent: OutRecord) -> Letter:
    """What the archive keeps of a dead letter, read back."""
    headers: Any = sent.headers
    came = record(sent.value, topic=PRODUCTS_DLQ, key=sent.key, headers=headers)
    part = dead_letter_part(id_of(came), DeadLetter.from_headers(came.headers), came)
    return _letter(decode(encode({"_id": part.event_id, "dead_letter": part.value})), ())


async def failed(source: ConsumerRecord) -> Letter:
    """A record that failed, as the store has it."""
    return archived(dead_letter(source, id_of(source), "decode", RecordInvalid("no")))


async def sent_again(letter: Letter) -> ConsumerRecord:
    """The record that a retry of it publishes."""

    async def nowhere(_: DeadLetter) -> None:
        return None

    sent = await record_of(letter, nowhere, max_attempts=100)
    headers: Any = sent.headers
    return record(sent.value, key=sent.key, headers=headers, offset=1)


def own(headers: Any) -> list[tuple[str, bytes | None]]:
    """Headers without those that aisle adds."""
    return [one for one in headers if one[0] not in (EVENT_ID, ATTEMPTS)]


@pytest.mark.parametrize(("value", "attempts"), [(b"1", 1), (b"7", 7), (b"99", 99)])
def test_the_attempts_are_a_small_number(value: bytes, attempts: int) -> None:
    """What a retry writes is read back."""
    assert attempts == earlier_attempts([(ATTEMPTS, value)])


TWELVE = "1\u0662".encode()


@pytest.mark.parametrize(
    "value",
    [None, b"", b"0", b"-1", b"+1", b"01", b" 1", b"1\n", b"1.0", b"1e1", b"100", b"9" * 9_999, b"\xff", TWELVE],
)
def test_attempts_that_are_no_such_number_count_as_none(value: bytes | None) -> None:
    """A stranger's header neither breaks the worker nor makes a letter that no retry takes."""
    assert 0 == earlier_attempts([(ATTEMPTS, value)])
    source: Any = record(b"x", headers=[(ATTEMPTS, value)])  # type: ignore[list-item]
    letter = dead_letter(source, EVENT, "decode", RecordInvalid("no"))
    assert 1 == DeadLetter.from_headers(letter.headers).attempts


async def test_each_failure_counts_one_more() -> None:
    """A record that fails, is sent again and fails again has two attempts, then three."""
    source = record(b"x")
    for attempts in (1, 2, 3):
        letter = await failed(source)
        assert (attempts, EVENT_ID) == (letter.reason.attempts, letter.headers[-1][0])
        source = await sent_again(letter)
        assert attempts == earlier_attempts(source.headers)
    assert id_of(record(b"x")) == letter.event_id


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("trace", b"\xfe"), ("trace", b"2"), ("", b"")],
        [(EVENT_ID, EVENT.upper().encode()), ("a", b"1")],
        [(ATTEMPTS, b"3"), (ATTEMPTS, b"junk"), ("a", b"1")],
        [("h", b"")] * MAX_HEADERS,
    ],
)
async def test_a_letter_that_fails_again_and_again_gathers_no_headers(headers: list[tuple[str, bytes]]) -> None:
    """Its own headers are the same each time, and there is one event id and one count of attempts beside them."""
    first = await failed(record(b"x", key=b"k", headers=headers))
    again = await sent_again(first)
    letter = first
    for _ in range(3):
        letter = await failed(await sent_again(letter))

    last = await sent_again(letter)
    assert own(headers) == own(again.headers) == own(last.headers)
    assert len(again.headers) == len(last.headers)
    assert 1 == sum(name == ATTEMPTS for name, _ in last.headers)
    assert (first.event_id, b"x", b"k") == (id_of(last), last.value, last.key)


def test_attempts_are_no_header_of_the_record() -> None:
    """A dead letter tells its attempts with the reason, where they cannot be taken for the next retry's."""
    source = record(b"x", headers=[(ATTEMPTS, b"2"), ("mine", b"1")])
    letter = dead_letter(source, EVENT, "infer", RecordInvalid("no"))
    assert [("mine", b"1"), (EVENT_ID, EVENT.encode())] == without_error_headers(letter.headers)
    assert ATTEMPTS not in dict(letter.headers)


@pytest.mark.parametrize("value", [b"x" * 3_000_000, b""])
def test_a_value_that_was_not_kept_is_told_from_none(value: bytes) -> None:
    """What is too large for a document leaves its hash there, so that a retry does not send null instead."""
    headers: Any = dead_letter(record(b"x"), EVENT, "decode", RecordInvalid("no")).headers
    came = record(value, topic=PRODUCTS_DLQ, headers=headers)
    part = dead_letter_part(EVENT, DeadLetter.from_headers(came.headers), came).value
    assert (part["value"] is None) == ("value_sha256" in part)
