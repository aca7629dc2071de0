"""Files of products at a gateway, whose products are answered at once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from infra.store import Store
from schemas.dead_letter import DeadLetter
from schemas.http.account import Role
from schemas.prediction import Category, ModelRef, Prediction
from schemas.product import Product
from schemas.topics import PREDICTIONS_OUT, PRODUCTS_DLQ, PRODUCTS_IN
from tests.gateway import client, gateway
from tests.records import record
from workers.gateway.parts import Parts

BULK, JOBS_PATH = "/api/v1/predictions/bulk", "/api/v1/jobs"
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
OPEN = {"owner": "customer", "state": "running", "asked_at": AT, "suffix": ".csv", "file": "x"}
OPEN |= {"rows": 1, "sent": 0, "answered": 0, "failed": 0, "epoch": 0}


def prediction(event_id: str, product_id: str, code: str = "lamps") -> Prediction:
    """What a model says."""
    return Prediction(
        event_id=event_id,
        product_id=product_id,
        category=Category(code=code, label=code.title()),
        confidence=0.9,
        top=[],
        needs_review=False,
        decided_by="text",
        modalities=["title"],
        model=ModelRef(name="aisle", version="1"),
        classified_at=AT,
    )


class Topic:
    """Takes what is published, and answers it at once; titles that begin with "late" get no answer."""

    def __init__(self, parts: Parts) -> None:
        self._answers = parts.road.answers
        self._answers.away = None
        self.published: list[str] = []
        parts.road.publish = self.publish  # type: ignore[method-assign] # in place of a broker

    async def publish(self, product: Product, event_id: str) -> None:
        """As the road does."""
        self.published.append(product.title or "")
        if (product.title or "").startswith("late"):
            return
        if (product.title or "").startswith("bad"):
            letter = DeadLetter(
                topic=PRODUCTS_IN,
                partition=0,
                offset=0,
                timestamp_ms=0,
                stage="infer",
                error_class="event-poisonous",
                message="it makes the model fail",
            )
            self._answers._give(event_id, record(b"", topic=PRODUCTS_DLQ, headers=letter.to_headers()))
            return
        value = prediction(event_id, product.product_id).model_dump_json().encode()
        self._answers._give(event_id, record(value, topic=PREDICTIONS_OUT))


@asynccontextmanager
async def calling(
    store: Store, data_dir: Path, role: Role = Role.CUSTOMER
) -> AsyncIterator[tuple[httpx.AsyncClient, Parts, Topic]]:
    """A gateway, somebody who calls it, and what is published."""
    app, parts = gateway(data_dir, store)
    topic = Topic(parts)
    async with client(app, role) as calls:
        yield calls, parts, topic


async def until(calls: httpx.AsyncClient, job: str, ready: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """A job, once it is as it should be."""
    async with asyncio.timeout(30):
        while True:
            found: dict[str, Any] = (await calls.get(f"{JOBS_PATH}/{job}")).json()
            if ready(found):
                return found
            await asyncio.sleep(0.05)


async def send(calls: httpx.AsyncClient, content: bytes, key: str | None = None) -> httpx.Response:
    """Send a file of titles."""
    headers = {} if key is None else {"Idempotency-Key": key}
    return await calls.post(BULK, files={"file": ("x.csv", b"title\n" + content)}, headers=headers)
