"""Record headers: CloudEvents 1.0 (Kafka binding, binary mode), W3C trace context, and aisle's own."""

from collections.abc import Iterable, Sequence
from typing import Final

Headers = Sequence[tuple[str, bytes | None]]

EVENT_ID: Final = "aisle-event-id"
ATTEMPTS: Final = "aisle-attempts"  # how often an event was tried before; on what is sent again after a dead letter
REPLAY: Final = "aisle-replay"  # which replay an event was sent with
REPLAY_SOURCE: Final = "aisle-replay-source"  # where that replay took it from
CE_ID: Final = "ce_id"
CE_SOURCE: Final = "ce_source"
CE_TYPE: Final = "ce_type"
CE_SPECVERSION: Final = "ce_specversion"
CE_TIME: Final = "ce_time"
CONTENT_TYPE: Final = "content-type"
TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"

PREDICTION_TYPE: Final = "io.aisle.prediction.v1"
PRODUCT_TYPE: Final = "io.aisle.product.v1"


def last_text(headers: Iterable[tuple[str, bytes | None]], name: str) -> str | None:
    """The last value under a name as text, or None when it is absent, null or not UTF-8.

    Kafka allows a header to repeat; the last one wins, as consumers of the Connect and CloudEvents
    conventions expect.
    """
    found: bytes | None = None
    for key, value in headers:
        if key == name and value is not None:
            found = value
    try:
        return None if found is None else found.decode()
    except UnicodeDecodeError:
        return None
