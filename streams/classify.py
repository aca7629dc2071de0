"""The classify agent: products.in to predictions.out, and to products.dlq what cannot be classified."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka.structs import ConsumerRecord

from infra.kafka.producer import Deliverer, OutRecord
from infra.logging import get_logger
from infra.metrics.answers import count_answers
from infra.metrics.producer import PUBLISHED
from infra.metrics.stream import DEAD_LETTERS
from model.classifier import Classification
from schemas.dead_letter import Stage
from schemas.errors import AisleError
from schemas.prediction import ModelRef
from schemas.product import Product
from schemas.topics import PREDICTIONS_OUT, PRODUCTS_DLQ, PRODUCTS_IN
from streams.dead_letters import dead_letter
from streams.decided import DecidedContents
from streams.decode import Received, id_of, parse_product
from streams.encode import PredictionEncoder
from streams.errors import EventFatal, EventPoisonous
from streams.inference import Inference
from streams.photos import PhotoReader, parts

logger = get_logger(__name__)

# There from the start, so that the first one shows as an increase.
DEAD_LETTERS.labels(topic=PRODUCTS_IN, stage="poison", reason=EventFatal.code)
PUBLISHED.labels(topic=PRODUCTS_DLQ)


@dataclass(frozen=True, slots=True)
class Classified:
    """What became of a batch: an answer for each product, and dead letters for the rest."""

    received: list[Received]
    answers: list[Classification | Exception]
    dead_letters: list[OutRecord]
    model: ModelRef
    at: datetime


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
        photos: Reads photos for a model that looks at them.
        decided: Knows the contents that people have decided.
    """

    def __init__(
        self,
        inference: Inference,
        producer: Deliverer,
        photos: PhotoReader | None = None,
        decided: DecidedContents | None = None,
    ) -> None:
        self._inference = inference
        self._producer = producer
        self._photos = photos
        self._decided = decided

    def decode(self, records: Sequence[ConsumerRecord]) -> tuple[list[Received], list[OutRecord]]:
        """The products among the records, and dead letters for the rest."""
        received, dead_letters = [], []
        for record in records:
            event_id = id_of(record)
            try:
                received.append(Received(record, event_id, parse_product(record)))
            except AisleError as error:
                dead_letters.append(_dead_letter(record, event_id, "decode", error))
        return received, dead_letters

    async def work(self, decoded: tuple[list[Received], list[OutRecord]]) -> Classified:
        """Classify the products, and no more than that: meanwhile the model waits."""
        received, dead_letters = decoded
        async with self._inference.batch() as model:
            answers = await self._answers([one.product for one in received])
        return Classified(received, answers, dead_letters, model, datetime.now(UTC))

    async def _answers(self, products: list[Product]) -> list[Classification | Exception]:
        decided = {} if self._decided is None else await self._decided.look_up(products)
        if not decided:
            return await ask(self._inference, self._photos, products)
        left = [product for number, product in enumerate(products) if number not in decided]
        answers = iter(await ask(self._inference, self._photos, left))
        return [decided[number] if number in decided else next(answers) for number in range(len(products))]

    def encode(self, results: Classified) -> Outbox:
        """The records to publish; a product that breaks the model alone becomes a dead letter."""
        encoder, predictions, dead_letters = PredictionEncoder(results.model, results.at), [], [*results.dead_letters]
        for one, answer in zip(results.received, results.answers, strict=True):
            if isinstance(answer, Exception):
                error = EventPoisonous(f"The model fails on this product: {type(answer).__name__}: {answer}")
                dead_letters.append(_dead_letter(one.record, one.event_id, "infer", error))
            else:
                predictions.append(encoder.record(one, answer))
        return Outbox(predictions, dead_letters)

    def condemn(self, records: Sequence[ConsumerRecord], tries: int) -> Classified:
        """Dead letters (stage ``poison``) for records that ended the process again and again while at the head.

        They are not decoded, as any step may be what they break.

        Args:
            records: Each was the next of its partition when a process ended.
            tries: How often that was so.
        """
        error = EventFatal(
            f"The worker died {tries} times with this record at the head of its partition.",
            hint="The kernel's log and the supervisor's tell why: out of memory, a hang, a crash in native code.",
        )
        dead_letters = [_dead_letter(record, id_of(record), "poison", error) for record in records]
        return Classified([], [], dead_letters, self._inference.classifier.ref, datetime.now(UTC))

    async def deliver(self, results: Classified) -> None:
        """Publish everything and wait for the brokers' word."""
        outbox = self.encode(results)
        if outbox.predictions:
            await self._producer.deliver(PREDICTIONS_OUT, outbox.predictions)
            count_answers(answer for answer in results.answers if not isinstance(answer, Exception))
        if outbox.dead_letters:
            await self._producer.deliver(PRODUCTS_DLQ, outbox.dead_letters)


def _dead_letter(record: ConsumerRecord, event_id: str, stage: Stage, error: AisleError) -> OutRecord:
    logger.warning(
        "dead letter",
        event_id=event_id,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        error=error.code,
        why=error.message,
    )
    return dead_letter(record, event_id, stage, error)


async def ask(
    inference: Inference, photos: PhotoReader | None, products: list[Product]
) -> list[Classification | Exception]:
    """The model's answer to each product, or what it raises on this product alone.

    Args:
        inference: Asks the model.
        photos: Reads photos for a model that looks at them.
        products: Any number.

    Raises:
        ModelHung: A call exceeded its deadline.
        ModelFailed: The model answers nothing.
    """
    if photos is None or not inference.classifier.reads_photos:
        return await inference.classify(products)
    answers: list[Classification | Exception] = []
    for part in parts([product.image for product in products]):
        some = products[part]
        answers += await inference.classify(some, await photos.read(some))
    return answers
