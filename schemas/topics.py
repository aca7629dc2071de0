"""The Kafka topics: their names, and what the broker is told about each."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from schemas.limits import KIB, MAX_PRODUCT_RECORD_BYTES, MAX_RECORD_BYTES

PRODUCTS_IN: Final = "products.in"
PREDICTIONS_OUT: Final = "predictions.out"
FEEDBACK: Final = "feedback"
PRODUCTS_DLQ: Final = "products.dlq"
FEEDBACK_DLQ: Final = "feedback.dlq"
MODELS_EVENTS: Final = "models.events"
VERDICTS: Final = "verdicts"
SHADOW_OUT: Final = "shadow.out"

_ENVELOPE_BYTES = 16 * KIB  # key, headers and batch framing, which the broker counts too


@dataclass(frozen=True)
class TopicSpec:
    """One topic as the admin command creates it.

    Args:
        name: The topic's name.
        purpose: One line for people.
        retention: How long records are kept; None for a compacted topic, which keeps the last of each key.
        partitions: A fixed number of partitions, or None to follow the setting.
        max_record_bytes: Largest value; the broker's limit adds room for key and headers.
    """

    name: str
    purpose: str
    retention: timedelta | None
    partitions: int | None = None
    max_record_bytes: int = MAX_RECORD_BYTES

    def config(self) -> dict[str, str]:
        """Topic configuration in the broker's own terms."""
        config = {"max.message.bytes": str(self.max_record_bytes + _ENVELOPE_BYTES)}
        if self.retention is None:
            return config | {"cleanup.policy": "compact"}
        milliseconds = int(self.retention.total_seconds() * 1000)
        return config | {"cleanup.policy": "delete", "retention.ms": str(milliseconds)}


TOPICS: Final = (
    TopicSpec(PRODUCTS_IN, "products to classify", timedelta(days=30), max_record_bytes=MAX_PRODUCT_RECORD_BYTES),
    TopicSpec(PREDICTIONS_OUT, "one prediction per product", timedelta(days=30)),
    TopicSpec(FEEDBACK, "people's verdicts on predictions", timedelta(days=365)),
    TopicSpec(PRODUCTS_DLQ, "products that could not be classified, with the reason", timedelta(days=30)),
    TopicSpec(FEEDBACK_DLQ, "feedback that could not be used, with the reason", timedelta(days=30)),
    TopicSpec(MODELS_EVENTS, "which model version is in service", None, partitions=1),
    TopicSpec(VERDICTS, "the category a person decided for a content", None),
    TopicSpec(SHADOW_OUT, "what a model in the shadow says of a sample", timedelta(days=7), partitions=1),
)
