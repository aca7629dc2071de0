"""Answers products in place of a model, in a thread: in its labels and messages there is script too."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from pydantic import ValidationError

from infra.kafka.clients import producer_client, reader_client, records
from infra.lease import utc_now
from schemas.dead_letter import DeadLetter
from schemas.headers import EVENT_ID, last_text
from schemas.prediction import Category, ModelRef, Prediction, RankedCategory
from schemas.product import Product
from schemas.topics import PREDICTIONS_OUT, PRODUCTS_DLQ, PRODUCTS_IN
from tests.hostile.payloads import SCRIPTS


@contextmanager
def answering(kafka: str) -> Iterator[None]:
    """Answer while the context lasts."""
    ready, over = Event(), Event()
    thread = Thread(target=lambda: asyncio.run(_answer(kafka, ready, over)))
    thread.start()
    try:
        assert ready.wait(30)
        yield
    finally:
        over.set()
        thread.join(20)


async def _answer(kafka: str, ready: Event, over: Event) -> None:
    async with (
        producer_client(kafka, linger_ms=0) as producer,
        reader_client(kafka, PRODUCTS_IN, from_start=False) as reader,
    ):
        await reader.seek_to_end()
        for place in reader.assignment():
            await reader.position(place)
        ready.set()

        async def work() -> None:
            async for record in records(reader):
                event_id = last_text(record.headers, EVENT_ID) or ""
                headers = [(EVENT_ID, event_id.encode())]
                try:
                    answer = prediction(event_id, Product.model_validate_json(record.value or b""))
                except ValidationError as error:
                    place = {"topic": PRODUCTS_IN, "partition": record.partition, "offset": record.offset}
                    reason = DeadLetter(
                        **place, timestamp_ms=0, stage="decode", error_class="Bad", message=str(error)[:500]
                    )
                    await producer.send(PRODUCTS_DLQ, record.value, headers=headers + reason.to_headers())
                    continue
                await producer.send(PREDICTIONS_OUT, answer.model_dump_json().encode(), headers=headers)

        task = asyncio.create_task(work())
        while not over.is_set() and not task.done():
            await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait({task})


def prediction(event_id: str, product: Product) -> Prediction:
    """What is said of a product."""
    script = SCRIPTS[len(event_id + product.product_id) % len(SCRIPTS)]
    return Prediction(
        event_id=event_id,
        product_id=product.product_id,
        category=Category(code=script[:100], label=script, theme=script),
        confidence=0.4,
        top=[RankedCategory(code=code, label=script, probability=0.4) for code in (script[:100], "__proto__")],
        needs_review=True,
        decided_by="text",
        modalities=["title"],
        notes=[script],
        model=ModelRef(name=script, version="1"),
        classified_at=utc_now(),
    )
