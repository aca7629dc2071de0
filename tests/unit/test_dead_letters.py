"""Dead letters: the bytes as they came, the reason, and a size that always fits."""

from hashlib import sha256

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder

from schemas.dead_letter import DeadLetter, without_error_headers
from schemas.headers import EVENT_ID, last_text
from schemas.limits import MAX_RECORD_BYTES, MIB
from schemas.product import Product
from streams.dead_letters import dead_letter
from streams.decode import id_of, parse
from streams.errors import RecordEmpty, RecordInvalid, RecordTooLarge
from tests.records import record

EVENT = "0b8e0000-0000-4000-8000-000000000001"


def test_a_dead_letter_carries_everything_back() -> None:
    """Key, value, own headers, partition and place come out as they went in, with the reason beside them."""
    source = record(b"\xff\x00", partition=3, offset=7, key=b"k", headers=[("trace", b"\xfe"), ("trace", b"2")])

    letter = dead_letter(source, id_of(source), "decode", RecordInvalid("Not a Product: value: Invalid JSON."))

    assert (3, b"k", b"\xff\x00") == (letter.partition, letter.key, letter.value)
    assert id_of(source) == last_text(letter.headers, EVENT_ID)
    own = [pair for pair in without_error_headers(letter.headers) if pair[0] != EVENT_ID]
    assert [("trace", b"\xfe"), ("trace", b"2")] == own
    reason = DeadLetter.from_headers(letter.headers)
    assert ("products.in", 3, 7, "decode") == (reason.topic, reason.partition, reason.offset, reason.stage)
    assert ("record-invalid", 1) == (reason.error_class, reason.attempts)
    assert reason.message.startswith("Not a Product")


def test_a_dead_letter_made_twice_keeps_one_reason() -> None:
    """A dead letter that fails again carries the headers of its last failure only."""
    source = record(b"x")
    once = dead_letter(source, id_of(source), "decode", RecordInvalid("first"))
    again = record(b"x", headers=[pair for pair in once.headers if pair[1] is not None])  # type: ignore[misc]

    twice = dead_letter(again, id_of(again), "infer", RecordInvalid("second"))

    assert len(once.headers) == len(twice.headers)
    assert "second" == DeadLetter.from_headers(twice.headers).message
    assert id_of(source) == last_text(twice.headers, EVENT_ID)


def test_the_largest_allowed_product_fits_whole() -> None:
    """A poison of exactly the size limit keeps its bytes."""
    source = record(b"x" * MIB)
    letter = dead_letter(source, id_of(source), "decode", RecordInvalid("no"))
    assert source.value == letter.value


@pytest.mark.parametrize("headers", [[], [("h", b"x" * MIB), ("i", b"y" * MIB)]])
def test_what_does_not_fit_leaves_its_hash(headers: list[tuple[str, bytes]]) -> None:
    """A record beyond the dead-letter limit goes without its value; hash and source offset tell where it is."""
    value = b"x" * (MAX_RECORD_BYTES + 1)
    source = record(value, offset=9, headers=headers)

    letter = dead_letter(source, id_of(source), "decode", RecordTooLarge("too large"))

    reason = DeadLetter.from_headers(letter.headers)
    assert (None, sha256(value).hexdigest(), 9) == (letter.value, reason.value_sha256, reason.offset)
    assert sum(len(name) + len(content or b"") for name, content in letter.headers) < MAX_RECORD_BYTES


@pytest.mark.parametrize(
    "headers", [[("", b"")] * 1_500_000, [("name", b"x" * 400)] * 999, [("é" * 50, b"x" * 400)] * 999]
)
def test_a_flood_of_headers_still_makes_a_record(headers: list[tuple[str, bytes]]) -> None:
    """Framing counts too: what the producer builds stays below the topic's limit, however headers are made."""
    letter = dead_letter(record(b"x" * MIB, headers=headers), EVENT, "decode", RecordInvalid("no"))
    builder = BatchBuilder(100, 0)
    builder.append(timestamp=None, key=letter.key, value=letter.value, headers=list(letter.headers))
    assert builder.size() < MAX_RECORD_BYTES


@pytest.mark.parametrize(
    ("value", "error", "says"),
    [
        (None, RecordEmpty, "no value"),
        (b"", RecordEmpty, "empty value"),
        (b"x" * (MIB + 1), RecordTooLarge, "1,048,577 bytes"),
        (b"nonsense", RecordInvalid, "Invalid JSON"),
        (b"\xff\xfe", RecordInvalid, "Invalid JSON"),
        (b"[" * 100_000, RecordInvalid, "recursion limit"),
        (b'{"product_id": "1"}', RecordInvalid, "at least one of title, description and image"),
        (b'{"product_id": "1", "title": [10, 40]}', RecordInvalid, "title: Input should be a valid string"),
        (b'{"product_id": true, "title": "x"}', RecordInvalid, "product_id"),
        (b'["a"]', RecordInvalid, "value: Input should be"),
    ],
)
def test_every_way_to_be_wrong_has_its_reason(value: bytes | None, error: type[Exception], says: str) -> None:
    """The reason names the field and the rule, in words an operator can act on."""
    with pytest.raises(error, match=says):
        parse(Product, record(value))


def test_a_reason_does_not_repeat_the_input() -> None:
    """A private or huge input does not leak into logs and headers by way of the message."""
    with pytest.raises(RecordInvalid) as caught:
        parse(Product, record(b'{"product_id": "1", "title": ["my-secret"]}'))
    assert "my-secret" not in str(caught.value)
