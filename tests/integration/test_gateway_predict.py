"""The road of a predict call over a real broker; the worker that answers is the test's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.structs import ConsumerRecord

from infra.kafka.clients import admin_client, producer_client, reader_client, records
from infra.kafka.topics import create_topics
from infra.store import ITEMS, Store
from schemas.dead_letter import DeadLetter
from schemas.headers import EVENT_ID, last_text
from schemas.http.account import Role
from schemas.prediction import Category, ModelRef, Prediction
from schemas.product import Product
from schemas.topics import PREDICTIONS_OUT, PRODUCTS_DLQ, PRODUCTS_IN
from tests.gateway import client, gateway
from tests.integration.conftest import Services
from tests.integration.road import eventually
from tests.integration.test_broker_faults import broker_stopped
from workers.gateway.parts import Parts

pytestmark = pytest.mark.integration

PREDICT = "/api/v1/predictions"


@pytest.fixture(autouse=True)
async def topics(services: Services) -> None:
    """The topics are there."""
    async with admin_client(services.kafka_bootstrap) as admin:
        await create_topics(admin, services.settings)


class Worker:
    """Answers products as their titles say: "lamp" by that category, "bad …" as a dead letter, "late" when told to."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self.seen: list[tuple[str, Product]] = []
        self.go_on = asyncio.Event()

    async def work(self, reader: AsyncIterator[ConsumerRecord]) -> None:
        """Answer until cancelled."""
        async for record in reader:
            event_id = last_text(record.headers, EVENT_ID) or ""
            product = Product.model_validate_json(record.value or b"")
            self.seen.append((event_id, product))
            title = product.title or "photo"
            if title == "late":
                await self.go_on.wait()
            headers = [(EVENT_ID, event_id.encode())]
            if title.startswith("bad"):
                place = {"topic": PRODUCTS_IN, "partition": record.partition, "offset": record.offset}
                reason = DeadLetter(**place, timestamp_ms=0, stage="decode", error_class="Bad", message="it is bad")
                await self._producer.send(PRODUCTS_DLQ, record.value, headers=headers + reason.to_headers())
                continue
            answer = Prediction(
                event_id=event_id,
                product_id=product.product_id,
                category=Category(code=title, label=title),
                confidence=0.9,
                top=[],
                needs_review=False,
                decided_by="fast",
                modalities=["title"],
                model=ModelRef(name="m", version="1"),
                classified_at=datetime.now(UTC),
            )
            await self._producer.send(PREDICTIONS_OUT, answer.model_dump_json().encode(), headers=headers)


@asynccontextmanager
async def working(services: Services) -> AsyncIterator[Worker]:
    """The worker, from now on."""
    bootstrap = services.kafka_bootstrap
    async with (
        producer_client(bootstrap, linger_ms=0) as producer,
        reader_client(bootstrap, PRODUCTS_IN, from_start=False) as reader,
    ):
        await reader.seek_to_end()
        for place in reader.assignment():
            await reader.position(place)
        worker = Worker(producer)
        task = asyncio.create_task(worker.work(records(reader)))
        yield worker
        worker.go_on.set()
        task.cancel()


@asynccontextmanager
async def serving(
    services: Services, data_dir: Path, store: Store | None = None, **settings: object
) -> AsyncIterator[tuple[httpx.AsyncClient, Parts]]:
    """A gateway that is ready, and a customer of it."""
    async with AsyncExitStack() as stack:
        app, parts = gateway(data_dir, store, **settings)
        if store is None:
            stack.callback(parts.store.close)
        parts.health.has("start")
        await stack.enter_async_context(parts.road.answers.following(services.kafka_bootstrap, parts.health))
        await stack.enter_async_context(parts.road.publishing(services.kafka_bootstrap, parts.health))
        calls = await stack.enter_async_context(client(app, Role.CUSTOMER))

        async def ready() -> bool:
            return (await calls.get("/health/ready")).is_success

        await eventually(ready, 20)
        yield calls, parts


async def test_a_product_is_answered_with_its_prediction(services: Services, tmp_path: Path) -> None:
    """By its own event, with who submitted it, under an id of its own where the caller gives none."""
    async with working(services) as worker, serving(services, tmp_path) as (calls, _):
        one, other = await asyncio.gather(
            calls.post(PREDICT, json={"title": "lamp", "attributes": {"colour": "red"}}),
            calls.post(PREDICT, json={"title": "chair", "product_id": "c-1"}),
        )
        assert ("lamp", "chair") == (one.json()["category"]["code"], other.json()["category"]["code"])
        assert ("c-1", one.json()["event_id"]) == (other.json()["product_id"], one.json()["product_id"])
        assert {"customer"} == {product.submitted_by for _, product in worker.seen}


async def test_a_dead_letter_is_told_with_its_reason(services: Services, tmp_path: Path) -> None:
    """422, at once and for whoever asks again; no waiting for a prediction that never comes."""
    async with working(services), serving(services, tmp_path) as (calls, _):
        for _ in range(2):
            answer = await calls.post(PREDICT, json={"title": "bad lamp"}, headers={"Idempotency-Key": "k"})
            assert (422, "urn:aisle:problem:not-classified") == (answer.status_code, answer.json()["type"])
            assert "it is bad" in answer.json()["detail"]


async def test_who_waited_long_enough_gets_a_link(services: Services, tmp_path: Path) -> None:
    """202, and the prediction is there once it has come; only for who submitted it."""
    async with working(services) as worker, serving(services, tmp_path, gateway_answer_s=0.2) as (calls, _):
        late = await calls.post(PREDICT, json={"title": "late"})
        assert (202, "pending") == (late.status_code, late.json()["status"])
        link = late.headers["location"]
        assert 202 == (await calls.get(link)).status_code
        worker.go_on.set()

        async def answered() -> bool:
            return (await calls.get(link)).status_code == 200

        await eventually(answered, 10)
        other = {"Authorization": "Bearer reviewer"}
        assert 503 == (await calls.get(link, headers=other)).status_code  # its own memory says nothing to another
        assert 503 == (await calls.get(f"{PREDICT}/{uuid4()}")).status_code


async def test_the_same_key_is_one_event(services: Services, store: Store, tmp_path: Path) -> None:
    """Sent at once, again, or to a gateway that was restarted: classified once, and another product is refused."""
    key = {"Idempotency-Key": str(uuid4())}
    async with working(services) as worker:
        async with serving(services, tmp_path, store) as (calls, _):
            same = [calls.post(PREDICT, json={"title": "lamp"}, headers=key) for _ in range(5)]
            answers = await asyncio.gather(*same, calls.post(PREDICT, json={"title": "lamp"}))
            assert 2 == len({answer.json()["event_id"] for answer in answers}) == len(worker.seen)
            other = await calls.post(PREDICT, json={"title": "chair"}, headers=key)
            assert (422, "urn:aisle:problem:idempotency-key-reused") == (other.status_code, other.json()["type"])
        event_id = answers[0].json()["event_id"]
        prediction = answers[0].json() | {"classified_at": datetime.now(UTC), "partition": 0}
        product = {"published_at": datetime.now(UTC), "title": "lamp", "description": None, "submitted_by": "customer"}
        with store.named_errors():
            await store.collection(ITEMS).insert_one(
                {
                    "_id": event_id,
                    "product_id": prediction.pop("product_id"),
                    "product": product,
                    "prediction": {name: value for name, value in prediction.items() if name != "event_id"},
                }
            )
        async with serving(services, tmp_path, store) as (calls, _):
            again = await calls.post(PREDICT, json={"title": "lamp"}, headers=key)
            other = await calls.post(PREDICT, json={"title": "chair"}, headers=key)
            assert (200, event_id) == (again.status_code, again.json()["event_id"])
            assert "urn:aisle:problem:idempotency-key-reused" == other.json()["type"]
            assert 404 == (await calls.get(f"{PREDICT}/{uuid4()}")).status_code
        assert 2 == len(worker.seen)


async def test_without_a_broker_callers_are_told_to_come_back(services: Services, tmp_path: Path) -> None:
    """503 with Retry-After, health says why, and all is well again once it answers."""
    async with working(services), serving(services, tmp_path) as (calls, parts):
        with broker_stopped(services):

            async def noticed() -> bool:
                return parts.road.answers.away is not None

            await eventually(noticed, 20)
            answer = await calls.post(PREDICT, json={"title": "lamp"})
            assert (503, "2", True) == (
                answer.status_code,
                answer.headers["retry-after"],
                answer.json()["retryable"],
            )
            assert "no Kafka broker answers" in (await calls.get("/health/ready")).json()["causes"]["answers"]

        async def well() -> bool:
            return (await calls.post(PREDICT, json={"title": "lamp"})).status_code == 200

        await eventually(well, 30)


async def test_more_than_may_wait_are_sent_away(services: Services, tmp_path: Path) -> None:
    """With 503, so that memory has an end."""
    async with working(services), serving(services, tmp_path, gateway_pending=2, gateway_answer_s=1) as (calls, _):
        answers = await asyncio.gather(*(calls.post(PREDICT, json={"title": "late"}) for _ in range(4)))
        assert [202, 202, 503, 503] == sorted(answer.status_code for answer in answers)
