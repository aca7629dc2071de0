"""The shadow agent: a sample of products.in to shadow.out. Nobody is answered, and no dead letter is made.

It may lose what it likes: a product that is too old, cannot be read or breaks the model is counted and passed over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from time import time
from typing import Final

from aiokafka.structs import ConsumerRecord

from infra.kafka.producer import OutRecord, Producer
from infra.logging import get_logger
from infra.metrics.answers import SHADOW_PRODUCTS
from model.classifier import Classification
from schemas.errors import AisleError
from schemas.headers import CONTENT_TYPE, EVENT_ID
from schemas.ids import is_canary
from schemas.prediction import ModelRef, RankedCategory
from schemas.shadow import ShadowPrediction
from schemas.topics import SHADOW_OUT
from streams.classify import Classified, ClassifyStage
from streams.decode import Received, id_of, parse_product
from streams.inference import Inference
from streams.photos import PhotoReader

_HASHES: Final = 1 << 64

logger = get_logger(__name__)


@dataclass(frozen=True)
class ShadowRules:
    """Which products are taken.

    Args:
        sample: Share of them, above 0 and at most 1.
        behind_s: How old a product may be, in seconds.
    """

    sample: float
    behind_s: float


def is_sampled(event_id: str, share: float) -> bool:
    """Whether an event is of the sample: the same events for every model, and those of a smaller share among them."""
    return int.from_bytes(blake2b(event_id.encode(), digest_size=8).digest()) < share * _HASHES


class ShadowStage:
    """Scores a sample of raw records with a model that is not in service.

    Args:
        inference: Asks the model.
        producer: Publishes what it says.
        rules: Which products are taken.
        photos: Reads photos for a model that looks at them.
    """

    def __init__(
        self, inference: Inference, producer: Producer, rules: ShadowRules, photos: PhotoReader | None = None
    ) -> None:
        self._inference = inference
        self._producer = producer
        self._rules = rules
        self._stage = ClassifyStage(inference, producer, photos)  # for its work; it never delivers
        self._passed = 0

    def decode(self, records: Sequence[ConsumerRecord]) -> list[Received]:
        """The products of the sample."""
        oldest_ms = (time() - self._rules.behind_s) * 1000
        recent = [record for record in records if record.timestamp >= oldest_ms]
        self._say_behind(len(records) - len(recent), caught_up=bool(recent))
        received = []
        for record in recent:
            event_id = id_of(record)
            if not is_sampled(event_id, self._rules.sample):
                continue
            try:
                product = parse_product(record)
                if not is_canary(product.product_id):  # the same few, again and again
                    received.append(Received(record, event_id, product))
            except AisleError:
                SHADOW_PRODUCTS.labels(outcome="invalid").inc()  # the classify agent makes the dead letter
        return received

    async def work(self, decoded: list[Received]) -> Classified:
        """Ask the model."""
        return await self._stage.work((decoded, []))

    async def deliver(self, results: Classified) -> None:
        """Publish what it said."""
        records = []
        for one, answer in zip(results.received, results.answers, strict=True):
            if isinstance(answer, Exception):
                SHADOW_PRODUCTS.labels(outcome="failed").inc()
                logger.warning("not scored", event_id=one.event_id, why=f"{type(answer).__name__}: {answer}")
            else:
                records.append(_record(one, answer, results.model, results.at))
        if records:
            await self._producer.deliver(SHADOW_OUT, records)
            SHADOW_PRODUCTS.labels(outcome="scored").inc(len(records))

    def condemn(self, records: Sequence[ConsumerRecord], tries: int) -> Classified:
        """Pass over records that ended the process again and again."""
        SHADOW_PRODUCTS.labels(outcome="failed").inc(len(records))
        for record in records:
            place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
            logger.error("not scored", **place, why=f"the worker died {tries} times with it")
        return Classified([], [], [], self._inference.classifier.ref, datetime.now(UTC))

    def _say_behind(self, late: int, *, caught_up: bool) -> None:
        """Say once that products go past, and how many when it is over."""
        if late:
            SHADOW_PRODUCTS.labels(outcome="behind").inc(late)
            if not self._passed:
                logger.warning("behind: what is too old goes past unscored", older_than_s=self._rules.behind_s)
            self._passed += late
        if self._passed and caught_up:
            logger.info("caught up", went_past=self._passed)
            self._passed = 0


def _record(one: Received, answer: Classification, model: ModelRef, at: datetime) -> OutRecord:
    said = ShadowPrediction(
        event_id=one.event_id,
        product_id=one.product.product_id,
        category=answer.category,
        confidence=answer.confidence,
        top=[RankedCategory(code=category.code, label=category.label, probability=p) for category, p in answer.top],
        needs_review=answer.needs_review,
        decided_by=answer.decided_by,
        model=model,
        scored_at=at,
    )
    headers = [(EVENT_ID, one.event_id.encode()), (CONTENT_TYPE, b"application/json")]
    return OutRecord(0, one.product.product_id.encode(), said.model_dump_json(exclude_none=True).encode(), headers)
