"""What a stage works with, with spans: sending and reading photos."""

from collections.abc import Iterable, Sequence

from opentelemetry.trace import SpanKind
from opentelemetry.util.types import AttributeValue
from pydantic import ValidationError

from infra.kafka.producer import Deliverer, OutRecord
from infra.tracing.headers import headers_of
from infra.tracing.steps import fail, step
from model.classifier import Photo
from schemas import headers as names
from schemas.dead_letter import DeadLetter
from schemas.headers import last_text
from schemas.product import Image
from schemas.topics import PREDICTIONS_OUT, PRODUCTS_DLQ
from streams.photos import PhotoReader
from streams.traced.batch import Batch


class TracedProducer:
    """Sends with a span, and gives each prediction the context of its event.

    Args:
        producer: What sends.
    """

    def __init__(self, producer: Deliverer) -> None:
        self._producer = producer

    async def partition_of(self, topic: str, key: bytes) -> int:
        """As the producer does."""
        return await self._producer.partition_of(topic, key)

    async def deliver(self, topic: str, records: Iterable[OutRecord]) -> None:
        """As the producer does."""
        sent = list(records)
        if (batch := Batch.now()) is not None:
            _pass_on(topic, sent, batch)
        attributes: dict[str, AttributeValue] = {
            "messaging.system": "kafka",
            "messaging.operation.type": "send",
            "messaging.destination.name": topic,
            "messaging.batch.message_count": len(sent),
        }
        with step(f"send {topic}", attributes, kind=SpanKind.PRODUCER):
            await self._producer.deliver(topic, sent)


class TracedPhotos(PhotoReader):
    """Reads photos with a span for each group of them."""

    async def read_images(self, images: Sequence[Image | None]) -> list[Photo]:
        """As any reader does."""
        with step("read photos", {"aisle.photos": sum(image is not None for image in images)}):
            return await super().read_images(images)


def _pass_on(topic: str, records: Iterable[OutRecord], batch: Batch) -> None:
    for record in records:
        span = batch.events.get(last_text(record.headers, names.EVENT_ID) or "")
        if span is None:
            continue
        if topic == PREDICTIONS_OUT:
            others = [one for one in record.headers if one[0] not in (names.TRACEPARENT, names.TRACESTATE)]
            record.headers = [*others, *headers_of(span)]
        elif topic == PRODUCTS_DLQ:  # its headers stay as they came
            fail(span, _why(record))


def _why(record: OutRecord) -> str:
    try:
        return DeadLetter.from_headers(record.headers).error_class
    except ValidationError:
        return "dead letter"
