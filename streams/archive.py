"""The archive agent: products, predictions, dead letters, feedback and answers in the shadow to MongoDB."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka.structs import ConsumerRecord
from pydantic import ValidationError

from infra.errors import DocumentRefused
from infra.images import ImageStore
from infra.kafka.producer import Deliverer, OutRecord
from infra.logging import get_logger
from infra.store import ITEMS, SHADOW, Store
from model.shelves import TaxonomyInForce, check_code
from schemas.dead_letter import DeadLetter
from schemas.errors import AisleError
from schemas.feedback import Feedback
from schemas.limits import MAX_RECORD_BYTES
from schemas.prediction import Prediction
from schemas.product import Image
from schemas.shadow import ShadowPrediction
from schemas.topics import FEEDBACK, FEEDBACK_DLQ, PREDICTIONS_OUT, PRODUCTS_DLQ, PRODUCTS_IN, SHADOW_OUT
from streams.dead_letters import dead_letter
from streams.decisions import Decisions
from streams.decode import id_of, parse, parse_product
from streams.errors import EventFatal
from streams.forgotten import Sieve
from streams.isolate import isolate
from streams.items import Document, Part, dead_letter_part, prediction_part, product_part, shadow_upserts, upserts
from streams.kept_photos import PhotoKeeper
from streams.photos import PhotoReader
from streams.verdicts import Verdicts, feedback_document

TOPICS = (PRODUCTS_IN, PREDICTIONS_OUT, FEEDBACK, PRODUCTS_DLQ, SHADOW_OUT)

logger = get_logger(__name__)


@dataclass(slots=True)
class Writes:
    """What a batch leads to; ``named`` are photos that lie elsewhere, each with its product's part of the item."""

    items: list[Part] = field(default_factory=list)
    events: set[str] = field(default_factory=set)
    photos: dict[str, bytes] = field(default_factory=dict)
    named: list[tuple[Image, Document]] = field(default_factory=list)
    products: set[str] = field(default_factory=set)
    feedback: list[dict[str, Any]] = field(default_factory=list)
    shadow: list[ShadowPrediction] = field(default_factory=list)
    dead_letters: list[OutRecord] = field(default_factory=list)

    def add(self, part: Part) -> None:
        """Write a part of an item."""
        self.items.append(part)
        self.events.add(part.event_id)


class ArchiveStage:
    """Archives batches of raw records from all of its topics.

    Args:
        store: Where items and feedback go.
        images: Where photos go.
        producer: Publishes what follows from feedback, and feedback that cannot be used.
        retry_budget_s: How long the store may be away before the batch is given back, in seconds.
        taxonomy: What the codes in feedback are held to.
        photos: Reads the photos that events only name; None: those stay where they are.
    """

    def __init__(
        self,
        store: Store,
        images: ImageStore,
        producer: Deliverer,
        retry_budget_s: float,
        taxonomy: TaxonomyInForce,
        photos: PhotoReader | None = None,
    ) -> None:
        self._store = store
        self._taxonomy = taxonomy
        self._verdicts = Verdicts(store)
        self._decisions = Decisions(store, self._verdicts, producer, taxonomy)
        self._photos = PhotoKeeper(images, photos)
        self._sieve = Sieve(store, images)
        self._producer = producer
        self._retry_budget_s = retry_budget_s
        self._readers: dict[str, Callable[[ConsumerRecord, Writes], None]] = {
            PRODUCTS_IN: self._read_product,
            PREDICTIONS_OUT: self._read_prediction,
            PRODUCTS_DLQ: self._read_dead_letter,
            FEEDBACK: self._read_feedback,
            SHADOW_OUT: self._read_shadow,
        }

    def decode(self, records: Sequence[ConsumerRecord]) -> Writes:
        """What the records ask to be written."""
        writes = Writes()
        for record in records:
            self._readers[record.topic](record, writes)
        return writes

    async def work(self, decoded: Writes) -> Writes:
        """Keep the photos, before anything refers to them."""
        await self._photos.keep(decoded.photos)
        await self._photos.fetch(decoded.named)
        return decoded

    async def deliver(self, results: Writes) -> None:
        """Write everything; repeated as a whole while the store is away, which changes nothing."""

        async def write() -> None:
            await self._sieve.changed()
            while True:
                await self._write(await self._sieve.passed(results))
                if not await self._sieve.changed():
                    return

        await self._store.retrying(write, self._retry_budget_s)
        if results.dead_letters:
            await self._producer.deliver(FEEDBACK_DLQ, results.dead_letters)

    def condemn(self, records: Sequence[ConsumerRecord], tries: int) -> Writes:
        """What becomes of records that ended the process so many times: nothing is written for them.

        Feedback goes to ``feedback.dlq``; of the others the topics have what is lost here.
        """
        writes = Writes()
        for record in records:
            error = EventFatal(f"The worker died {tries} times with this record at the head of its partition.")
            event_id = id_of(record) if record.value is not None else None  # without it, the record was not read
            place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
            logger.error("not archived", event_id=event_id, **place, error=error.code, why=error.message)
            if record.topic == FEEDBACK:
                writes.dead_letters.append(dead_letter(record, id_of(record), "poison", error))
        return writes

    async def _write(self, results: Writes) -> None:
        await self._write_items(results.items)
        if results.shadow:
            await self._store.upsert(SHADOW, shadow_upserts(results.shadow))
        kept = await self._verdicts.keep(results.feedback) if results.feedback else []
        products = results.products | {document["product_id"] for document in kept if "product_id" in document}
        events = results.events | {document["event_id"] for document in kept if document["event_id"] is not None}
        if events or products:
            await self._decisions.tell(await self._verdicts.parked(events, products))

    async def _write_items(self, parts: Sequence[Part]) -> None:
        """Write the parts; one that no document can hold is logged and left out, its neighbours are written."""

        async def upsert(some: Sequence[Part]) -> Sequence[Part]:
            await self._store.upsert(ITEMS, upserts(some))
            return some

        if not parts:
            return
        outcomes, _ = await isolate(parts, upsert, DocumentRefused)
        for part, outcome in zip(parts, outcomes, strict=True):
            if isinstance(outcome, DocumentRefused):
                logger.error("not archived", event_id=part.event_id, part=part.name, why=outcome.message)

    def _read_product(self, record: ConsumerRecord, writes: Writes) -> None:
        try:
            product = parse_product(record)
        except AisleError:
            return  # the classify agent makes the dead letter
        part = product_part(id_of(record), product, record, writes.photos)
        writes.add(part)
        writes.products.add(product.product_id)
        if product.image is not None and product.image.uri is not None:
            writes.named.append((product.image, part.value))

    def _read_prediction(self, record: ConsumerRecord, writes: Writes) -> None:
        try:
            prediction = parse(Prediction, record, limit_bytes=MAX_RECORD_BYTES)
        except AisleError as error:
            _log_skipped(record, error.message)
            return
        if prediction.feedback_id is None:  # else it was told from the item's verdict, which is there
            writes.add(prediction_part(prediction, record))

    def _read_dead_letter(self, record: ConsumerRecord, writes: Writes) -> None:
        try:
            reason = DeadLetter.from_headers(record.headers)
        except ValidationError as error:
            _log_skipped(record, f"no dead letter of aisle's: {error.error_count()} error headers missing or wrong")
            return
        writes.add(dead_letter_part(id_of(record), reason, record))

    def _read_shadow(self, record: ConsumerRecord, writes: Writes) -> None:
        try:
            writes.shadow.append(parse(ShadowPrediction, record, limit_bytes=MAX_RECORD_BYTES))
        except AisleError as error:
            _log_skipped(record, error.message)

    def _read_feedback(self, record: ConsumerRecord, writes: Writes) -> None:
        try:
            feedback = parse(Feedback, record, limit_bytes=MAX_RECORD_BYTES)
            check_code(feedback.code, self._taxonomy.now())
        except AisleError as error:
            writes.dead_letters.append(dead_letter(record, id_of(record), "decode", error))
            return
        writes.feedback.append(feedback_document(feedback, record, id_of(record)))


def _log_skipped(record: ConsumerRecord, why: str) -> None:
    logger.warning("record skipped", topic=record.topic, partition=record.partition, offset=record.offset, why=why)
