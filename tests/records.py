"""Consumer records made by hand."""

from collections.abc import Sequence

from aiokafka.structs import ConsumerRecord

from schemas.topics import PRODUCTS_IN


def record(  # noqa: PLR0913 - a record has many parts
    value: bytes | None,
    *,
    topic: str = PRODUCTS_IN,
    partition: int = 0,
    offset: int = 0,
    key: bytes | None = None,
    headers: Sequence[tuple[str, bytes]] = (),
    timestamp_ms: int = 1_760_000_000_000,
) -> "ConsumerRecord[bytes, bytes]":
    """A record as the consumer hands it over."""
    return ConsumerRecord(topic, partition, offset, timestamp_ms, 0, key, value, None, -1, -1, headers)
