"""Documents a second that the archive writes: products and predictions of the same events, two parts a document."""

import asyncio
import shutil
from pathlib import Path
from time import monotonic
from typing import Any, Final

import psutil
from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from infra.local.services import LocalServices
from infra.settings import Settings
from schemas.topics import FEEDBACK, PREDICTIONS_OUT, PRODUCTS_DLQ, PRODUCTS_IN
from streams.archive_worker import GROUP as ARCHIVE
from streams.classify_worker import GROUP as CLASSIFY
from tests.bench.broker import PARTITIONS, Ends
from tests.bench.site import Site
from tests.bench.worker import worker

_POLL_S: Final = 0.25
_LONGEST_S: Final = 180.0


async def measure(site: Site, documents: int) -> dict[str, Any]:
    """Documents a second of one archive worker on the local store, empty at first."""
    documents -= documents % PARTITIONS
    broker, settings = site.broker, site.settings
    await broker.renew(PREDICTIONS_OUT)
    await broker.place(CLASSIFY, PRODUCTS_IN, documents)
    async with Ends(broker.bootstrap, PREDICTIONS_OUT) as ends, asyncio.timeout(_LONGEST_S):
        with worker("classify", settings, site.log):
            while await ends.total() < documents:
                await asyncio.sleep(_POLL_S)
    for topic, waiting in ((PRODUCTS_IN, documents), (PREDICTIONS_OUT, documents), (FEEDBACK, 0), (PRODUCTS_DLQ, 0)):
        await broker.place(ARCHIVE, topic, waiting)
    for name in ("docstore", "mongod"):
        shutil.rmtree(settings.data_dir / name, ignore_errors=True)
    with LocalServices(settings) as store:
        state = store.status()["docstore"]
        process = psutil.Process(state.pid)
        own = settings.model_copy(update={"mongodb_uri": SecretStr(state.address), "mongodb_database": "bench"})
        found = await _archive(own, state.address, documents, process, site.log)
    site.step(f"archive: {found['documents_per_s']:,.0f} documents/s")
    return found | {"store": state.kind}


async def _archive(settings: Settings, uri: str, documents: int, process: psutil.Process, log: Path) -> dict[str, Any]:
    complete = {"product": {"$exists": True}, "prediction": {"$exists": True}}
    with MongoClient[dict[str, Any]](uri) as client, worker("archive", settings, log):
        items = client[settings.mongodb_database]["items"]
        async with asyncio.timeout(_LONGEST_S):
            while not await asyncio.to_thread(_count, items, {}):
                await asyncio.sleep(_POLL_S / 10)
            began, cpu = monotonic(), process.cpu_times()
            while await asyncio.to_thread(_count, items, complete) < documents:
                await asyncio.sleep(_POLL_S)
        lasted, now = monotonic() - began, process.cpu_times()
    return {
        "documents": documents,
        "seconds": lasted,
        "documents_per_s": documents / lasted,
        "writes_per_s": 2 * documents / lasted,
        "store_us": 1e6 * (now.user + now.system - cpu.user - cpu.system) / documents,
    }


def _count(items: Collection[dict[str, Any]], query: dict[str, Any]) -> int:
    """How many documents; 0 where the embedded store stumbles, as it may while indexes are made."""
    try:
        return items.count_documents(query)
    except OperationFailure:
        return 0
