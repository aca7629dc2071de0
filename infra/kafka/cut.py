"""What was fetched, cut into pieces that one batch may hold."""

from collections.abc import Iterator, Sequence

from aiokafka.structs import ConsumerRecord


def cut(records: Sequence[ConsumerRecord], max_bytes: int) -> Iterator[tuple[int, int, int]]:
    """Start, end and payload in bytes of pieces that hold at most so many bytes, or a single record."""
    if (total := payload_bytes(records)) <= max_bytes:
        return iter([(0, len(records), total)] if records else [])
    return _pieces(records, max_bytes)


def payload_bytes(records: Sequence[ConsumerRecord]) -> int:
    """What the keys and values of records come to."""
    return sum(len(record.value or b"") + len(record.key or b"") for record in records)


def _pieces(records: Sequence[ConsumerRecord], max_bytes: int) -> Iterator[tuple[int, int, int]]:
    start = size = 0
    for index, record in enumerate(records):
        payload = payload_bytes((record,))
        if index > start and size + payload > max_bytes:
            yield start, index, size
            start, size = index, 0
        size += payload
    yield start, len(records), size
