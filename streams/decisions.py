"""What follows from verdicts: the standing decision on each content, and the answer on each item that was judged.

Told from what the store holds, and told again until what was told last is what the store still holds. So whoever
tells last has seen everything, however many archives work on the same contents, and whichever of them is killed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from infra.kafka.producer import Deliverer, OutRecord
from infra.store import ITEMS, Store
from infra.stored_items import content_of, decided_code, has_answer
from model.shelves import TaxonomyInForce
from schemas import headers as names
from schemas.topics import PREDICTIONS_OUT, VERDICTS
from schemas.verdict import ContentVerdict
from streams.reviewed import correction
from streams.verdicts import Verdicts

Document = dict[str, Any]

_VERDICT: Final = ("verdict", "prediction.category")
_WHOLE: Final = ("product_id", "product", "prediction", "verdict", "dead_letter.partition")


@dataclass(frozen=True, slots=True)
class Told:
    """The records that say how things stand."""

    verdicts: list[OutRecord]
    predictions: list[OutRecord]


class Decisions:
    """Publishes what follows from verdicts.

    Args:
        store: Where the items are.
        verdicts: Where the verdicts are.
        producer: Publishes to ``verdicts`` and ``predictions.out``.
        taxonomy: Has the labels of the codes that people name.
    """

    def __init__(self, store: Store, verdicts: Verdicts, producer: Deliverer, taxonomy: TaxonomyInForce) -> None:
        self._store = store
        self._verdicts = verdicts
        self._producer = producer
        self._taxonomy = taxonomy

    async def tell(self, parked: Sequence[Document]) -> None:
        """Tell what follows from these verdicts where their items are complete; the others stay parked.

        Raises:
            StoreUnavailable: The store is away; everything may be repeated.
            DeliveryFailed: The brokers are.
        """
        if not parked:
            return
        items = await self._items((document["event_id"] for document in parked), _WHOLE)
        contents = {key: content_of(item["product"]) for key, item in items.items() if _is_complete(item)}
        ready = [document for document in parked if document["event_id"] in contents]
        if not ready:
            return
        await self._verdicts.bind((document, contents[document["event_id"]]) for document in ready)
        told = None
        while (standing := await self._standing(contents)) != told:
            await self._publish(standing)
            told = standing
        await self._verdicts.release(ready)

    async def _standing(self, contents: dict[str, str]) -> Told:
        """What is to be told of these items and their contents, by their ids."""
        on_content: dict[str, set[str]] = {content: set() for content in contents.values()}
        for document in await self._verdicts.on_contents(on_content):
            on_content[document["content"]].add(document["event_id"])
        judged = await self._items(set().union(*on_content.values()), _VERDICT)
        verdicts = [
            await self._record(content, decision(judged[key] for key in ids if key in judged))
            for content, ids in sorted(on_content.items())
        ]
        items = await self._items(contents, _WHOLE)
        answers = [correction(item, self._taxonomy.category) for _, item in sorted(items.items()) if has_answer(item)]
        return Told(verdicts, answers)

    async def _publish(self, told: Told) -> None:
        await self._producer.deliver(VERDICTS, told.verdicts)
        if told.predictions:
            await self._producer.deliver(PREDICTIONS_OUT, told.predictions)

    async def _record(self, content: str, decided: ContentVerdict | None) -> OutRecord:
        key = content.encode()
        value = None if decided is None else decided.model_dump_json().encode()
        partition = await self._producer.partition_of(VERDICTS, key)
        return OutRecord(partition, key, value, [(names.CONTENT_TYPE, b"application/json")])

    async def _items(self, ids: Iterable[str], fields: Iterable[str]) -> dict[str, Document]:
        """Items by their ids alone, as the embedded store reads all of them for any further condition."""
        with self._store.named_errors():
            cursor = self._store.collection(ITEMS).find({"_id": {"$in": sorted(set(ids))}}, dict.fromkeys(fields, True))
            return {item["_id"]: item async for item in cursor}


def decision(items: Iterable[Document]) -> ContentVerdict | None:
    """What stands for a content: the latest verdict on any item that has it, if that names a category.

    A withdrawn verdict says nothing; a rejected one says that no category is known.
    """
    speaking = [item for item in items if _speaks(item)]
    if not speaking:
        return None
    latest = max(speaking, key=lambda item: (item["verdict"]["at"], item["verdict"]["feedback_id"]))
    verdict, code = latest["verdict"], decided_code(latest)
    if code is None:
        return None
    fields = {name: verdict[name] for name in ("verdict", "by", "at", "feedback_id")}
    return ContentVerdict(code=code, event_id=latest["_id"], **fields)


def _speaks(item: Document) -> bool:
    """Whether a verdict says something of the content; a validated one does when it is known what it validates."""
    said = item.get("verdict", {}).get("verdict")
    return said not in (None, "withdrawn") and (said != "validated" or "prediction" in item)


def _is_complete(item: Document) -> bool:
    """Whether all is there that a verdict on an item is told from: the content, and what became of the event."""
    if "product" not in item or "verdict" not in item:
        return False
    return "prediction" in item or ("dead_letter" in item and item["verdict"]["verdict"] != "validated")
