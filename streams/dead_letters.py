"""Making dead letters: the record as it came, and why it could not be processed."""

from hashlib import sha256

from aiokafka.structs import ConsumerRecord

from infra.kafka.producer import OutRecord
from schemas.dead_letter import DeadLetter, Stage, without_error_headers
from schemas.errors import AisleError
from schemas.headers import EVENT_ID, last_text
from schemas.limits import KIB, MAX_RECORD_BYTES

_OWN_HEADERS_BYTES = 4 * KIB


def dead_letter(record: ConsumerRecord, event_id: str, stage: Stage, error: AisleError) -> OutRecord:
    """A dead letter on the partition of the same number, with the record's key, value, headers and time.

    A record too large for the dead-letter topic goes without its value, and without headers when these are
    what is too large; the value's SHA-256 and the source offset stay.
    """
    key, value = record.key, record.value
    headers = without_error_headers(record.headers)
    fits = MAX_RECORD_BYTES - _OWN_HEADERS_BYTES - len(key or b"")
    if fits < 0:
        key, fits = None, MAX_RECORD_BYTES - _OWN_HEADERS_BYTES
    size = sum(len(name) + len(content or b"") for name, content in headers)
    if size > fits // 2:
        headers, size = [], 0
    left_out = value is not None and len(value) > fits - size
    reason = DeadLetter(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp,
        stage=stage,
        error_class=error.code,
        message=error.message,
        value_sha256=sha256(value).hexdigest() if left_out and value is not None else None,
    )
    if last_text(headers, EVENT_ID) != event_id:
        headers.append((EVENT_ID, event_id.encode()))
    return OutRecord(
        partition=record.partition,
        key=key,
        value=None if left_out else value,
        headers=[*headers, *reason.to_headers()],
    )
