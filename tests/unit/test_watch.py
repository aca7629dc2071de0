"""`aisle watch` shows any record, whatever its producer wrote."""

from typing import Any

import orjson
import pytest
from aiokafka.structs import ConsumerRecord

from schemas.topics import TOPICS
from scripts.watch import _as_json, _as_line

DEEP = b'{"a":' * 500 + b"1" + b"}" * 500


def record(topic: str = "products.in", value: bytes | None = b"{}", **fields: Any) -> ConsumerRecord:
    """A record as a reader gives it."""
    parts: dict[str, Any] = {
        "partition": 1,
        "offset": 7,
        "timestamp": 0,
        "timestamp_type": 0,
        "key": None,
        "checksum": None,
        "serialized_key_size": 0,
        "serialized_value_size": 0,
        "headers": (),
    }
    return ConsumerRecord(topic=topic, value=value, **(parts | fields))


VALUES = [None, b"", b"\xff\xfe", b"1e999", b"NaN", b'"\\ud800"', b"9" * 5_000, b"[" * 100_000, DEEP, b"\x1b[31m"]


@pytest.mark.parametrize("topic", [spec.name for spec in TOPICS])
@pytest.mark.parametrize("timestamp", [-(2**63), -(2**62), -1, 0, 2**62, 2**63 - 1])
def test_any_record_can_be_shown(topic: str, timestamp: int) -> None:
    """No value, key, header or time ends the watch or steers the terminal."""
    headers = (("", None), ("h", b"\xff"), ("aisle.errors.message", b"\xff\x1b"))
    for value in VALUES:
        for key in (None, b"", b"\xff\x00"):
            shown = record(topic, value, key=key, timestamp=timestamp, headers=headers)
            assert "\n" not in _as_line(shown)
            line = orjson.loads(_as_json(shown))
            assert line["timestamp_ms"] == timestamp
            assert (line["key"] is None) == (key is None)


def test_a_time_that_is_none_is_shown_as_its_number() -> None:
    """A time beyond the calendar is no reason to hide the record."""
    assert _as_line(record(timestamp=-(2**62))).startswith(str(-(2**62)))


@pytest.mark.parametrize(
    ("value", "shown"),
    [(b'{"a": [1]}', {"a": [1]}), (DEEP, DEEP.decode()), (b"no JSON", "no JSON"), (b"", ""), (None, None)],
)
def test_json_is_json_and_all_else_is_text(value: bytes | None, shown: object) -> None:
    """A value that is JSON is shown as such, unless it is nested too deep to be written again."""
    assert orjson.loads(_as_json(record(value=value)))["value"] == shown
