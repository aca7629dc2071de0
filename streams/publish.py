"""Publishing products from a file to products.in, each under an event id that the file gives it."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from time import monotonic
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from infra.errors import DeliveryFailed
from model.data.dataset import ProductRow
from schemas import headers as names
from schemas.ids import cloudevent_id
from schemas.limits import MAX_PRODUCT_RECORD_BYTES
from schemas.topics import PRODUCTS_IN

_UNCONFIRMED = 5_000  # deliveries awaited together: enough to keep the producer busy, little to hold


@dataclass(slots=True)
class Published:
    """What was sent so far; ``refused`` counts rows too large for a record."""

    events: int = 0
    bytes: int = 0
    refused: int = 0


@dataclass(frozen=True)
class FileEvents:
    """Turns the rows of one file into records.

    The file is a CloudEvents source and the row number is the id there, so the same file, wherever it lies
    and whatever it is called, always gives the same event ids.

    Args:
        source: ``urn:sha256:`` and the digest of the file's bytes.
    """

    source: str

    @classmethod
    def of(cls, path: Path) -> "FileEvents":
        """Read the file once for its digest."""
        with path.open("rb") as file:
            return cls(f"urn:sha256:{file_digest(file, 'sha256').hexdigest()}")

    def event_id(self, row: ProductRow) -> str:
        """The event id of a row."""
        return cloudevent_id(self.source, str(row.row))

    def headers(self, row: ProductRow) -> list[tuple[str, bytes]]:
        """CloudEvents attributes, and the event id that they give."""
        return [
            (names.EVENT_ID, self.event_id(row).encode()),
            (names.CE_ID, str(row.row).encode()),
            (names.CE_SOURCE, self.source.encode()),
            (names.CE_TYPE, names.PRODUCT_TYPE.encode()),
            (names.CE_SPECVERSION, b"1.0"),
            (names.CE_TIME, datetime.now(UTC).isoformat().encode()),
            (names.CONTENT_TYPE, b"application/json"),
        ]

    @staticmethod
    def value(row: ProductRow) -> bytes:
        """The row as a product; its category, if known, stays behind."""
        product: dict[str, Any] = {"product_id": row.id, "title": row.title, "description": row.description}
        if row.image is not None:
            product["image"] = {"uri": row.image}
        return orjson.dumps({name: value for name, value in product.items() if value is not None})


def check(rows: Iterable[ProductRow]) -> Published:
    """What ``publish`` would send and refuse, without sending it."""
    done = Published()
    for row in rows:
        _count(done, FileEvents.value(row))
    return done


async def publish(
    producer: AIOKafkaProducer,
    rows: Iterable[ProductRow],
    events: FileEvents,
    *,
    rate: float | None = None,
    told: Callable[[Published], None] = lambda _: None,
) -> Published:
    """Publish rows in order and return once every delivery is acknowledged.

    Args:
        producer: A started producer.
        rows: What to publish, keyed by product id.
        events: Gives each row its id, headers and value.
        rate: Events a second; None: as fast as it goes.
        told: Called as it goes on.

    Raises:
        DeliveryFailed: The brokers did not acknowledge a record.
    """
    waiting: list[asyncio.Future[Any]] = []
    done, started = Published(), monotonic()
    for row in rows:
        if rate is not None and (ahead := done.events / rate - (monotonic() - started)) > 0:
            await asyncio.sleep(ahead)
        value = events.value(row)
        if not _count(done, value):
            continue
        with _delivering():
            waiting.append(await producer.send(PRODUCTS_IN, value, key=row.id.encode(), headers=events.headers(row)))
            if len(waiting) >= _UNCONFIRMED:
                await asyncio.gather(*waiting)
                waiting.clear()
        told(done)
    with _delivering():
        await producer.flush()
        await asyncio.gather(*waiting)
    return done


def _count(done: Published, value: bytes) -> bool:
    """Count a value as sent, or as refused; whether it is small enough to be sent."""
    if len(value) > MAX_PRODUCT_RECORD_BYTES:
        done.refused += 1
        return False
    done.events += 1
    done.bytes += len(value)
    return True


@contextmanager
def _delivering() -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        raise DeliveryFailed(f"Could not deliver to {PRODUCTS_IN}: {type(error).__name__}: {error}.") from error
