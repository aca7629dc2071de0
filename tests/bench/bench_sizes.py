"""Bytes of an event on its topics and in the store, and what the archive computes for it; no server is asked."""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final, cast

import bson
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.structs import ConsumerRecord

from infra.images import ImageStore
from infra.kafka.producer import OutRecord, Producer
from infra.settings import Settings
from infra.store import ITEMS, Store
from infra.store_schema import INDEXES
from model.shelves import TaxonomyInForce
from schemas.limits import MIB
from schemas.topics import PREDICTIONS_OUT, PRODUCTS_IN
from scripts.output import print_json
from streams.archive import ArchiveStage
from streams.classify import ClassifyStage
from streams.inference import Inference
from streams.items import Part, upserts
from tests.bench.competitors.answers import NoModel
from tests.bench.load import Events
from tests.records import record

_BATCH: Final = 200  # records of one partition that go to a broker together under load
_ENTRY: Final = 8  # bytes beside its key that an index entry takes: the document's number
_ROUNDS: Final = 5


def main(arguments: list[str]) -> None:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser(prog="bench sizes", description=__doc__)
    parser.add_argument("--events", type=int, default=4_000)
    print_json(measure(parser.parse_args(arguments).events))


def measure(events: int) -> dict[str, float]:
    """Means an event, in bytes and in CPU microseconds of one process.

    Args:
        events: How many; the starter products over and over, each with a prediction of five categories.
    """
    products = Events("sizes", 1).first(events)
    received = [_received(PRODUCTS_IN, number, one) for number, one in enumerate(products)]
    predictions = asyncio.run(_predictions(received))
    answered = [_received(PREDICTIONS_OUT, number, one) for number, one in enumerate(predictions)]
    archive = _archive()
    parts = archive.decode([*received, *answered]).items
    documents = _documents(parts)
    return {
        "events": events,
        "product_bytes": _on_topic(products) / events,
        "prediction_bytes": _on_topic(predictions) / events,
        "item_bytes": sum(len(bson.encode(one)) for one in documents) / events,
        "index_bytes": sum(map(_index_bytes, documents)) / events,
        "archive_cpu_us": _cpu_us(lambda: _archived(archive, received, answered)) / events,
    }


def _received(topic: str, offset: int, sent: OutRecord) -> ConsumerRecord:
    headers = [(name, value or b"") for name, value in sent.headers]
    return record(sent.value, topic=topic, offset=offset, key=sent.key, headers=headers)


async def _predictions(received: Sequence[ConsumerRecord]) -> list[OutRecord]:
    stage = ClassifyStage(Inference(NoModel(), 60.0), cast(Producer, None))
    return stage.encode(await stage.work(stage.decode(received))).predictions


def _archive() -> ArchiveStage:
    settings = Settings(data_dir=Path(tempfile.gettempdir()) / "nothing-is-written")
    nothing = cast(Any, None)
    return ArchiveStage(cast(Store, nothing), cast(ImageStore, nothing), nothing, 1.0, TaxonomyInForce(settings))


def _documents(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """The items that the parts make, as the store has them."""
    items: dict[str, dict[str, Any]] = {}
    for part in parts:
        item = items.setdefault(part.event_id, {"_id": part.event_id, "product_id": part.product_id})
        item[part.name] = part.value
    return list(items.values())


def _on_topic(records: Sequence[OutRecord]) -> int:
    """Bytes that a broker keeps of records without compression, in batches."""
    size = 0
    for start in range(0, len(records), _BATCH):
        builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, 0, MIB)
        for number, one in enumerate(records[start : start + _BATCH]):
            builder.append(number, 0, one.key, one.value, one.headers)
        size += len(builder.build())
    return size


def _index_bytes(document: dict[str, Any]) -> int:
    """Bytes of an item's index entries, as keys; a B-tree has them half empty at worst, and prefixes once."""
    size = len(bson.encode({"": document["_id"]})) + _ENTRY
    for index in INDEXES[ITEMS]:
        values = [_value(document, path) for path in index.document["key"]]
        if not (index.document.get("sparse") and values == [None]):
            size += len(bson.encode({str(place): value for place, value in enumerate(values)})) + _ENTRY
    return size


def _value(document: dict[str, Any], path: str) -> Any:
    value: Any = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _archived(archive: ArchiveStage, *topics: Sequence[ConsumerRecord]) -> None:
    """All that the archive computes of records before the store's answer, each topic in batches of its own."""
    for received in topics:
        for start in range(0, len(received), _BATCH):
            for one in upserts(archive.decode(received[start : start + _BATCH]).items):
                bson.encode({"q": one._filter, "u": one._doc, "upsert": True})


def _cpu_us(work: Callable[[], None]) -> float:
    took = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return 1e6 * median(took)
