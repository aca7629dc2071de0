"""Publishing products and waiting for what becomes of them."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final
from uuid import uuid4, uuid5

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord
from pydantic import ValidationError

from infra.errors import BrokerUnavailable, DeliveryFailed
from infra.health import Health
from infra.kafka.clients import producer_client, wait_for_broker
from infra.lease import utc_now
from schemas import headers as names
from schemas.content import digest_of
from schemas.dead_letter import DeadLetter
from schemas.ids import NAMESPACE
from schemas.limits import MAX_PRODUCT_RECORD_BYTES, MIB
from schemas.prediction import Prediction
from schemas.product import Product
from schemas.topics import PREDICTIONS_OUT, PRODUCTS_IN
from workers.gateway.errors import BodyTooLarge, KeyReused, NotClassified
from workers.gateway.road.answers import Answer, Answers

_SEND_S: Final = 5.0
_AGAIN: Final = "Try again with the same Idempotency-Key: then it is classified once."
_FIXED_HEADERS: Final = (
    (names.CE_SOURCE, b"aisle/gateway"),
    (names.CE_TYPE, names.PRODUCT_TYPE.encode()),
    (names.CE_SPECVERSION, b"1.0"),
    (names.CONTENT_TYPE, b"application/json"),
)


def event_id_of(user: str, idempotency_key: str | None) -> str:
    """The id of what a caller submits: the same for the same key of the same user, whichever gateway is asked."""
    if idempotency_key is None:
        return str(uuid4())
    return str(uuid5(NAMESPACE, f"gateway\n{len(user)}\n{user}\n{idempotency_key}"))


class Road:
    """The way to the topic and back.

    Args:
        answers: Follows what is answered.
    """

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.producer: AIOKafkaProducer | None = None
        self._submitted: OrderedDict[str, tuple[str | None, bytes]] = OrderedDict()

    @asynccontextmanager
    async def publishing(self, bootstrap: str, health: Health) -> AsyncIterator[None]:
        """Have a producer for as long as the context lasts, from when a broker answers first.

        Args:
            bootstrap: ``host:port`` of the brokers.
            health: Told what is waited for.
        """
        closing = asyncio.Event()

        async def produce() -> None:
            while not closing.is_set():
                await wait_for_broker(bootstrap)
                with suppress(BrokerUnavailable):  # it went away in that moment
                    # Not idempotent: what comes twice has the same event id, and a partition that refused a record
                    # can be used further.
                    async with producer_client(bootstrap, idempotent=False, linger_ms=0) as self.producer:
                        health.has("producer")
                        await closing.wait()
            self.producer = None

        health.waits_for("producer", "no broker has answered yet")
        task = asyncio.create_task(produce())
        try:
            yield
        finally:
            closing.set()
            if self.producer is None:
                task.cancel()
            await asyncio.wait({task}, timeout=_SEND_S)

    def submitted_by(self, event_id: str) -> str | None:
        """Who submitted an event here; None for one that was not, or long ago."""
        return self._submitted.get(event_id, (None, b""))[0]

    async def classify(
        self, product: Product, event_id: str, within_s: float, *, published: bool = False
    ) -> Prediction | None:
        """Publish a product, unless its event is on the way already, and wait for its prediction.

        Args:
            product: What to classify, with who submitted it.
            event_id: Names it.
            within_s: Longest wait in seconds.
            published: Whether it was published before, by another gateway or before a restart.

        Returns:
            The prediction; None when it did not come in time. It still comes: `answered` has it then.

        Raises:
            BodyTooLarge: No record holds the product.
            BrokerUnavailable: No broker answers.
            Busy: Too many products are waited for.
            DeliveryFailed: The broker did not take it.
            KeyReused: The event is another product's.
            NotClassified: It became a dead letter.
        """
        known = self.answers.expect(event_id) is not None
        self._remember(event_id, product)
        answer = self.answers.await_(event_id)
        if not (known or published):
            try:
                await self.publish(product, event_id)
            except BaseException:
                self.answers.forget(event_id)
                raise
        await self.wait(answer, within_s)
        if answer.cancelled():  # by another call with the same key, whose product the broker did not take
            raise DeliveryFailed("The broker did not take the product.", hint=_AGAIN)
        return read_answer(answer.result()) if answer.done() else None

    async def publish(self, product: Product, event_id: str) -> None:
        """Publish a product.

        Raises:
            BodyTooLarge: No record holds it.
            BrokerUnavailable: No broker answers.
            DeliveryFailed: The broker did not take it.
        """
        value = product.model_dump_json(exclude_none=True).encode()
        if len(value) > MAX_PRODUCT_RECORD_BYTES:
            raise BodyTooLarge(
                f"The product has {len(value):,} bytes; {MAX_PRODUCT_RECORD_BYTES // MIB} MiB are the most."
            )
        if self.producer is None or self.answers.away is not None:
            raise BrokerUnavailable(f"Nothing can be classified now: {self.answers.away or 'starting'}.")
        identity = event_id.encode()
        headers = [
            (names.EVENT_ID, identity),
            (names.CE_ID, identity),
            (names.CE_TIME, utc_now().isoformat().encode()),
            *_FIXED_HEADERS,
            *self.context(),
        ]
        try:
            async with asyncio.timeout(_SEND_S):
                await self.producer.send_and_wait(PRODUCTS_IN, value, key=product.product_id.encode(), headers=headers)
        except (KafkaError, TimeoutError) as error:
            raise DeliveryFailed(
                f"The broker did not take the product: {type(error).__name__}.",
                hint=_AGAIN,
            ) from error

    async def wait(self, answer: Answer, within_s: float) -> None:
        """Return once the answer is there, or the time is over."""
        await asyncio.wait({answer}, timeout=within_s)

    def context(self) -> list[tuple[str, bytes]]:
        """Headers that say which trace a record belongs to."""
        return []

    def answered(self, event_id: str) -> Prediction | None:
        """The prediction of an event that was submitted here, if it has come by now.

        Raises:
            NotClassified: It became a dead letter.
        """
        answer = self.answers.expect(event_id)
        return read_answer(answer.result()) if answer is not None and answer.done() else None

    def _remember(self, event_id: str, product: Product) -> None:
        given = product.submitted_by, digest_of(product)
        if self._submitted.setdefault(event_id, given) != given:
            raise KeyReused(
                "This Idempotency-Key was used for another product.", hint="Give each product a key of its own."
            )
        if len(self._submitted) > 2 * self.answers.most:
            self._submitted.popitem(last=False)


def read_answer(record: ConsumerRecord) -> Prediction:
    """The prediction in a record.

    Raises:
        NotClassified: It is a dead letter.
    """
    if record.topic == PREDICTIONS_OUT:
        return Prediction.model_validate_json(record.value or b"")
    try:
        reason = DeadLetter.from_headers(record.headers)
    except ValidationError as error:
        raise NotClassified("The product could not be classified; the dead letter does not say why.") from error
    raise NotClassified(f"The product could not be classified ({reason.stage}): {reason.message}")
