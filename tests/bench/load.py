"""Events to measure with: the products of the starter data, over and over, each time under new event ids."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any, Final

from aiokafka import AIOKafkaProducer

import model
from infra.kafka.clients import producer_client
from infra.kafka.producer import OutRecord
from model.data.dataset import ProductRow, iter_products
from schemas.headers import CE_ID, EVENT_ID
from schemas.product import Product
from schemas.topics import PRODUCTS_IN
from streams.replay.file import FileEvents

OPEN_FOOD_FACTS: Final = Path(model.__file__).parent / "data" / "openfoodfacts_fr" / "openfoodfacts_fr.csv"
_ROWS_A_BATCH: Final = 200  # about 160 kB, which one record batch takes
_AWAITED: Final = 32
_TICK_S: Final = 0.005


@cache
def _rows() -> Sequence[tuple[ProductRow, bytes]]:
    return [(row, FileEvents.value(row)) for row in iter_products(OPEN_FOOD_FACTS)]


def products() -> Iterator[Product]:
    """Each product of the data once."""
    for _, value in _rows():
        yield Product.model_validate_json(value)


class Events:
    """Numbered events, ``OutRecord`` by ``OutRecord``, spread over partitions by number.

    Args:
        source: Two sources give no event id in common.
        partitions: Partitions of products.in.
    """

    def __init__(self, source: str, partitions: int) -> None:
        self._events = FileEvents(f"urn:aisle:bench:{source}")
        self._partitions = partitions
        # What changes from event to event are the two ids; the rest of the headers is made once.
        self._rest = [pair for pair in self._events.headers(_rows()[0][0]) if pair[0] not in (EVENT_ID, CE_ID)]

    def event(self, number: int) -> OutRecord:
        """The event with this number."""
        rows = _rows()
        row, value = rows[number % len(rows)]
        numbered = ProductRow(number, row.id, None, None)
        ids = [(EVENT_ID, self._events.event_id(numbered).encode()), (CE_ID, str(number).encode())]
        return OutRecord(number % self._partitions, row.id.encode(), value, ids + self._rest)

    def first(self, count: int) -> list[OutRecord]:
        """The first ``count`` events."""
        return [self.event(number) for number in range(count)]

    def batches(self, count: int) -> Iterator[list[OutRecord]]:
        """The first ``count`` events in lists of one partition each."""
        block = _ROWS_A_BATCH * self._partitions
        for start in range(0, count, block):
            for partition in range(self._partitions):
                if rows := [
                    self.event(number)
                    for number in range(start, min(start + block, count))
                    if number % self._partitions == partition
                ]:
                    yield rows


async def preload(bootstrap: str, events: Events, count: int) -> None:
    """Publish the first ``count`` events as fast as it goes, by record batches."""
    waiting: list[Any] = []
    async with producer_client(bootstrap) as producer:
        for rows in events.batches(count):
            waiting += await _send(producer, rows)
            if len(waiting) >= _AWAITED:
                await asyncio.gather(*waiting)
                waiting.clear()
        await asyncio.gather(*waiting)


async def publish_steadily(
    bootstrap: str,
    record: Callable[[int], OutRecord],
    rate: float,
    *,
    enough: Callable[[int], bool],
    sent: Callable[[OutRecord], None] = lambda _: None,
) -> int:
    """Publish at a steady rate, in small batches every few milliseconds; returns how many.

    Args:
        bootstrap: ``host:port`` of the broker.
        record: Gives the record with this number, from 0 on.
        rate: Records a second.
        enough: Whether so many records are all.
        sent: Told of each record just before it is handed to the client.
    """
    waiting, done = set[Any](), 0
    async with producer_client(bootstrap, linger_ms=0) as producer:  # what is due goes as one batch already
        started = monotonic()
        while not enough(done):
            due = max(done + 1, int((monotonic() - started) * rate))
            by_partition: dict[int, list[OutRecord]] = {}
            while done < due and not enough(done):
                row = record(done)
                sent(row)
                by_partition.setdefault(row.partition, []).append(row)
                done += 1
            for part in by_partition.values():
                for future in await _send(producer, part):
                    waiting.add(future)
                    future.add_done_callback(waiting.discard)
            await asyncio.sleep(max(_TICK_S, started + done / rate - monotonic()))
        await asyncio.gather(*waiting)
    return done


async def _send(producer: AIOKafkaProducer, rows: Sequence[OutRecord]) -> list[Any]:
    batch, sent = producer.create_batch(), []
    for row in rows:
        if batch.append(key=row.key, value=row.value, timestamp=None, headers=list(row.headers)) is None:
            sent.append(await producer.send_batch(batch, PRODUCTS_IN, partition=row.partition))
            batch = producer.create_batch()
            batch.append(key=row.key, value=row.value, timestamp=None, headers=list(row.headers))
    sent.append(await producer.send_batch(batch, PRODUCTS_IN, partition=rows[-1].partition))
    return sent
