"""Products of a file as events, each under an event id that the file gives it."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaProducer

from model.data.dataset import ProductRow
from schemas import headers as names
from schemas.ids import cloudevent_id
from schemas.limits import MAX_PRODUCT_RECORD_BYTES
from schemas.topics import PRODUCTS_IN
from streams.replay.event import Event, Positions
from streams.replay.pace import Pace
from streams.replay.send import Sender, Sent

_PART: Final = "rows"


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

    def event(self, row: ProductRow) -> Event:
        """The event of a row."""
        return Event(
            event_id=self.event_id(row),
            key=row.id.encode(),
            value=self.value(row),
            headers=self.headers(row),
            origin=f"{self.source}/{row.row}",
            part=_PART,
            position=row.row,
        )


@dataclass(slots=True)
class FileSource:
    """The products of a file.

    Args:
        events_of: Makes events of its rows.
        rows: Reads the rows, from the first one each time it is called.
    """

    events_of: FileEvents
    rows: Callable[[], Iterable[ProductRow]]
    passed_over: Counter[str] = field(default_factory=Counter)

    async def total(self) -> int:
        """How many there are."""
        return sum(1 for _ in self.rows())

    async def events(self, after: Positions) -> AsyncIterator[Event]:
        """The rows in their order."""
        last = int(after.get(_PART, -1))
        for row in self.rows():
            if row.row > last:
                yield self.events_of.event(row)


async def publish(
    producer: AIOKafkaProducer, rows: Iterable[ProductRow], events: FileEvents, *, rate: float | None = None
) -> Sent:
    """Publish rows in order to products.in and return once every delivery is acknowledged.

    Args:
        producer: A started producer.
        rows: What to publish, keyed by product id.
        events: Gives each row its id, headers and value.
        rate: Events a second; None: as fast as it goes.

    Raises:
        DeliveryFailed: The brokers did not acknowledge a record.
    """
    sender = Sender(producer, PRODUCTS_IN, None, MAX_PRODUCT_RECORD_BYTES, Pace(rate))
    return await sender.send(FileSource(events, lambda: rows).events({}))
