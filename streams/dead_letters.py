"""Making dead letters: the record as it came, and why it could not be processed."""

from hashlib import sha256

from aiokafka.structs import ConsumerRecord

from infra.kafka.producer import OutRecord
from infra.metrics.stream import DEAD_LETTERS
from schemas.dead_letter import DeadLetter, Stage, earlier_attempts, without_error_headers
from schemas.errors import AisleError
from schemas.headers import EVENT_ID, Headers, last_text
from schemas.limits import KIB, MAX_RECORD_BYTES

MAX_HEADERS = 1_000
"""More headers than this, aisle's own apart, are left out together: each costs room in record and document."""

_OWN_HEADERS_BYTES = 4 * KIB
_HEADER_BYTES = 16  # framing of one header, in the record and, more, in a document


def dead_letter(record: ConsumerRecord, event_id: str, stage: Stage, error: AisleError) -> OutRecord:
    """A dead letter on the partition of the same number, with the record's key, value, headers and time.

    A record too large for the dead-letter topic goes without its value, and without key or headers when
    these are what is too large; the value's SHA-256 and the source offset stay.
    """
    DEAD_LETTERS.labels(topic=record.topic, stage=stage, reason=error.code).inc()
    key, value, headers = kept(record)
    reason = DeadLetter(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp,
        stage=stage,
        error_class=error.code,
        message=error.message,
        attempts=earlier_attempts(record.headers) + 1,
        value_sha256=sha256(record.value).hexdigest() if value is None and record.value is not None else None,
    )
    if last_text(headers, EVENT_ID) != event_id:
        headers.append((EVENT_ID, event_id.encode()))
    return OutRecord(
        partition=record.partition,
        key=key,
        value=value,
        headers=[*headers, *reason.to_headers()],
    )


def kept(record: ConsumerRecord) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]:
    """Key, value and own headers of a record, as far as a dead letter has room for them.

    A small compressed batch can hold records of any size, so each of the three may be what does not fit.
    """
    room = MAX_RECORD_BYTES - _OWN_HEADERS_BYTES
    key = record.key if len(record.key or b"") <= room // 4 else None
    headers = without_error_headers(record.headers)
    # The event id is not counted, or what classify keeps the archive would not.
    if sum(name != EVENT_ID for name, _ in headers) > MAX_HEADERS or _size(headers) > room // 4:
        headers = []
    room -= len(key or b"") + _size(headers)
    value = record.value if len(record.value or b"") <= room else None
    return key, value, headers


def _size(headers: Headers) -> int:
    return sum(_HEADER_BYTES + len(name.encode()) + len(content or b"") for name, content in headers)
