"""The classify agent: products.in to predictions.out, and to products.dlq what cannot be classified."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka.structs import ConsumerRecord

from infra.kafka.producer import OutRecord, Producer
from infra.logging import get_logger
from model.classifier import Classification
from schemas import headers as names
from schemas.errors import AisleError
from schemas.prediction import ModelRef, Prediction
from schemas.product import Product
from schemas.topics import PREDICTIONS_OUT, PRODUCTS_DLQ
from streams.dead_letters import dead_letter
from streams.decode import id_of, parse
from streams.errors import EventPoisonous
from streams.inference import Inference

_SOURCE = b"aisle/classify"
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")  # W3C; anything else goes no further

logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Received:
    """A record that is a product."""

    record: ConsumerRecord
    event_id: str
    product: Product


@dataclass(frozen=True, slots=True)
class Outbox:
    """What a batch leads to."""

    predictions: list[OutRecord]
    dead_letters: list[OutRecord]


class ClassifyStage:
    """Classifies batches of raw records.

    Args:
        inference: Asks the model.
        producer: Publishes the answers, each on its product's partition number.
    """

    def __init__(self, inference: Inference, producer: Producer) -> None:
        self._inference = inference
        self._producer = producer

    def decode(self, records: Sequence[ConsumerRecord]) -> tuple[list[Received], list[OutRecord]]:
        """The products among the records, and dead letters for the rest."""
        received, dead_letters = [], []
        for record in records:
            event_id = id_of(record)
            try:
                received.append(Received(record, event_id, parse(Product, record)))
            except AisleError as error:
                _log_dead_letter(record, event_id, error)
                dead_letters.append(dead_letter(record, event_id, "decode", error))
        return received, dead_letters

    async def work(self, decoded: tuple[list[Received], list[OutRecord]]) -> Outbox:
        """Classify the products; one that breaks the model alone becomes a dead letter."""
        received, dead_letters = decoded
        answers = await self._inference.classify([one.product for one in received])
        model, now = self._inference.classifier.ref, datetime.now(UTC)
        predictions = []
        for one, answer in zip(received, answers, strict=True):
            if isinstance(answer, Exception):
                error = EventPoisonous(f"The model fails on this product: {type(answer).__name__}: {answer}")
                _log_dead_letter(one.record, one.event_id, error)
                dead_letters.append(dead_letter(one.record, one.event_id, "infer", error))
            else:
                predictions.append(_prediction_record(one, answer, model, now))
        return Outbox(predictions, dead_letters)

    async def deliver(self, results: Outbox) -> None:
        """Publish everything and wait for the brokers' word."""
        if results.predictions:
            await self._producer.deliver(PREDICTIONS_OUT, results.predictions)
        if results.dead_letters:
            await self._producer.deliver(PRODUCTS_DLQ, results.dead_letters)


def _prediction_record(received: Received, answer: Classification, model: ModelRef, at: datetime) -> OutRecord:
    prediction = Prediction(
        event_id=received.event_id,
        product_id=received.product.product_id,
        category=answer.category,
        confidence=answer.confidence,
        top=answer.top,
        needs_review=answer.needs_review,
        decided_by=answer.decided_by,
        modalities=answer.modalities,
        notes=answer.notes,
        model=model,
        classified_at=at,
    )
    identity = received.event_id.encode()
    headers = [
        (names.EVENT_ID, identity),
        (names.CE_ID, identity),
        (names.CE_SOURCE, _SOURCE),
        (names.CE_TYPE, names.PREDICTION_TYPE.encode()),
        (names.CE_SPECVERSION, b"1.0"),
        (names.CE_TIME, at.isoformat().encode()),
        (names.CONTENT_TYPE, b"application/json"),
    ]
    trace = names.last_text(received.record.headers, names.TRACEPARENT)
    if trace is not None and _TRACEPARENT.fullmatch(trace):
        headers.append((names.TRACEPARENT, trace.encode()))
    return OutRecord(
        partition=received.record.partition,
        key=received.product.product_id.encode(),
        value=prediction.model_dump_json(exclude_none=True).encode(),
        headers=headers,
    )


def _log_dead_letter(record: ConsumerRecord, event_id: str, error: AisleError) -> None:
    logger.warning(
        "dead letter",
        event_id=event_id,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        error=error.code,
        why=error.message,
    )
