"""Forgetting products: everything that is kept of them, in an order that can be cut off anywhere and done again."""

import asyncio
import csv
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaProducer

from infra.endpoints import find_kafka
from infra.forgotten import Forgotten
from infra.forgotten_items import ForgottenItems, Traces
from infra.images import ImageStore
from infra.kafka.clients import producer_client
from infra.lease import utc_now
from infra.settings import Settings
from infra.store import ITEMS, REPLAYS, SHADOW, Store
from schemas.headers import CONTENT_TYPE
from schemas.topics import VERDICTS
from streams.decisions import decision
from streams.verdicts import Verdicts
from workers.gateway.audit import Audit, Deed
from workers.retrain.set_files import sets_dir
from workers.retrain.set_forgotten import mark, sets_with, take_out

_PAGES: Final = ("what-if.html", "what-if.json", "what-if.csv")
_VERDICT: Final = dict.fromkeys(("verdict", "prediction.category"), True)

Told = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Counts:
    """What there was, or is, of products."""

    products: int
    events: int
    verdicts: int
    contents: int
    photos: int
    shadow: int
    replays: int
    training_sets: int
    pages: int

    def as_json(self) -> dict[str, int]:
        """By name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Found:
    """All traces of products."""

    traces: Traces
    sets: dict[Path, list[str]]
    pages: list[Path]

    def counts(self, products: int) -> Counts:
        """How many there are of each."""
        traces = self.traces
        return Counts(
            products=products,
            events=len(traces.events),
            verdicts=len(traces.verdicts),
            contents=len(traces.contents),
            photos=len(traces.photos),
            shadow=traces.others[SHADOW],
            replays=traces.others[REPLAYS],
            training_sets=len(self.sets),
            pages=len(self.pages),
        )


class Forget:
    """Forgets some products.

    Args:
        settings: Say where everything is.
        store: The store.
        product_ids: The products.
    """

    def __init__(self, settings: Settings, store: Store, product_ids: Collection[str]) -> None:
        self._settings = settings
        self._store = store
        self._ids = product_ids
        self._items = ForgottenItems(store, ImageStore(settings.data_dir / "images"))
        self._forgotten = Forgotten(store)

    async def find(self) -> Found:
        """What there is of them now.

        Raises:
            StoreUnavailable: The store is away.
        """
        traces = await self._items.find(self._ids)
        sets = await asyncio.to_thread(sets_with, sets_dir(self._settings.data_dir), traces.verdicts)
        pages = await asyncio.to_thread(lambda: list(pages_with(self._settings.data_dir / "replays", set(self._ids))))
        return Found(traces, sets, pages)

    async def run(self, by: str, told: Told) -> Counts:
        """Forget them. Noted first, so that nothing of them comes in behind; items last, as they lead to the rest.

        Args:
            by: Who asks, for the audit log.
            told: Told of the steps.

        Raises:
            BrokerUnavailable: No broker answers; nothing was done.
            StoreUnavailable: The store went away; the same command does the rest.
        """
        async with producer_client(find_kafka(self._settings)) as producer:
            told("noting", 0.0)
            before = (await self.find()).counts(len(self._ids))
            await Audit(self._store).note_all(by, [Deed("product.forget", "products", before=before.as_json())])
            await self._forgotten.refresh()
            await self._forgotten.add_products(self._ids, utc_now())
            found = await self.find()
            await self._forgotten.add_events(found.traces.events)
            told("training sets", 0.0)
            # Looked for behind the note: who makes a set looks at that note when the set is there.
            sets = await asyncio.to_thread(sets_with, sets_dir(self._settings.data_dir), found.traces.verdicts)
            marked = [await asyncio.to_thread(take_out, folder, ids) for folder, ids in sets.items()]
            await mark(self._store, marked)
            for page in found.pages:
                page.unlink(missing_ok=True)
            told("verdicts", 0.0)
            await take_back(self._store, producer, found.traces)
            told("items", 0.0)
            await self._items.remove(self._ids, found.traces)
            # Once more: an archive may have told meanwhile what stood before.
            await take_back(self._store, producer, found.traces)
            told("items", 1.0)
        return found.counts(len(self._ids))


async def take_back(store: Store, producer: AIOKafkaProducer, traces: Traces) -> None:
    """Take back what these verdicts decided; where others have judged the same content, theirs stands.

    Raises:
        StoreUnavailable: The store is away; may be repeated.
    """
    judged: dict[str, set[str]] = {content: set() for content in traces.contents}
    verdicts = Verdicts(store)
    for some in _parts(sorted(traces.contents)):
        for one in await verdicts.on_contents(some):
            if one["_id"] not in traces.verdicts:
                judged[one["content"]].add(one["event_id"])
    sent = []
    for content, events in sorted(judged.items()):
        with store.named_errors():
            query = {"_id": {"$in": sorted(events - traces.events)}}
            items = [one async for one in store.collection(ITEMS).find(query, _VERDICT)] if events else []
        stands = decision(items)
        value = None if stands is None else stands.model_dump_json().encode()
        headers = [(CONTENT_TYPE, b"application/json")]
        sent.append(await producer.send(VERDICTS, value, key=content.encode(), headers=headers))
    await asyncio.gather(*sent)


def pages_with(replays: Path, product_ids: set[str]) -> Iterator[Path]:
    """The pages of what-if replays that show one of the products; `aisle replay compare` makes them again.

    So do those of which nobody can say it, as their rows were cut off by a kill or a full disk.
    """
    for folder in sorted({page.parent for name in _PAGES for page in replays.glob(f"*/{name}")}):
        if _may_show(folder / _PAGES[-1], product_ids):
            yield from (folder / name for name in _PAGES if (folder / name).exists())


def _may_show(rows: Path, product_ids: set[str]) -> bool:
    try:
        with rows.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file, strict=True):
                # What could be a formula has a quote before it there.
                if product_ids & {row["product_id"], row["product_id"][1:]}:
                    return True
    except (FileNotFoundError, UnicodeDecodeError, csv.Error, KeyError, TypeError):
        return True
    return False


def _parts(values: list[str], size: int = 500) -> Iterator[list[str]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
