"""Of the workers in a consumer group: what comes in, how it is cut into batches, what goes out."""

from typing import Final

from infra.metrics import Declare
from schemas.topics import FEEDBACK, PRODUCTS_IN

_declare: Final = Declare("classify", "archive", "shadow")

RECEIVED: Final = _declare.counter("aisle_records_received_total", "Records taken from a topic.", "topic")
PROCESSED: Final = _declare.counter(
    "aisle_records_processed_total", "Records whose answers are safe; some are done twice after a restart."
)
DEAD_LETTERS: Final = _declare.counter(
    "aisle_dead_letters_total",
    "Dead letters, by the topic that the record came from, the stage that it failed in, and the error's code.",
    "topic",
    "stage",
    "reason",
)
BATCH_EVENTS: Final = _declare.histogram(
    "aisle_batch_events", "Events in a micro-batch.", (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096)
)
BATCH_BYTES: Final = _declare.histogram(
    "aisle_batch_bytes", "Payload of a micro-batch.", tuple(4**power for power in range(5, 13))
)
BATCH_WAIT: Final = _declare.histogram(
    "aisle_batch_wait_seconds", "How long a micro-batch was held back for more events."
)
BATCH_TOOK: Final = _declare.histogram(
    "aisle_batch_duration_seconds", "How long a micro-batch took, decoding to delivery, without waits for others."
)
COST_PER_EVENT: Final = _declare.gauge(
    "aisle_batch_cost_per_event_seconds", "a of the fitted cost a·n + b of n events."
)
COST_PER_BATCH: Final = _declare.gauge(
    "aisle_batch_cost_per_batch_seconds", "b of the fitted cost a·n + b of n events."
)
BATCH_LIMIT: Final = _declare.gauge("aisle_batch_limit_events", "Most events the next micro-batch may hold.")
OPEN_BATCHES: Final = _declare.gauge("aisle_open_batches", "Batches delivered and not yet acknowledged.")
OPEN_BYTES: Final = _declare.gauge("aisle_open_bytes", "Payload of those batches.")

for _topic in (PRODUCTS_IN, FEEDBACK):
    # There from the start: who makes it has just begun, and a series that begins with 1 is no increase.
    DEAD_LETTERS.labels(topic=_topic, stage="poison", reason="event-fatal")
