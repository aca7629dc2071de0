"""What people said of predictions, as the archive keeps it: looked up and compared, never written here."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pymongo import ASCENDING

from infra.scan import scan
from infra.store import FEEDBACK, ITEMS, Document, Store


@dataclass(frozen=True, slots=True)
class Judged:
    """An item as far as a person needs it to judge it; None for what is not there yet."""

    event_id: str
    product_id: str | None
    title: str | None
    code: str | None
    label: str | None
    verdict: str | None = None


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody said last of a content.

    Args:
        code: The category that it comes to; None for a rejection, which names none.
        stands: Whether it is the one in force.
    """

    by: str
    verdict: str
    code: str | None
    at: datetime
    event_id: str
    feedback_id: str
    stands: bool = False


@dataclass(frozen=True, slots=True)
class Conflict:
    """A content, or an event whose content is not known yet, of which people say different things; the last stands."""

    item: Judged
    opinions: tuple[Opinion, ...]


class FeedbackLog:
    """The verdicts in a store.

    Args:
        store: Where items and feedback are.

    Its methods raise StoreUnavailable and StoreRefused as the store does.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def count(self) -> int:
        """How many verdicts there are."""
        with self._store.named_errors():
            return await self._store.collection(FEEDBACK).count_documents({})

    async def beginning_with(self, prefix: str, limit: int) -> list[str]:
        """The first event ids of items that begin so."""
        # Ids are UUIDs in lower case: "g" comes after every character that one may go on with.
        with self._store.named_errors():
            cursor = self._store.collection(ITEMS).find({"_id": {"$gte": prefix, "$lt": prefix + "g"}}, {"_id": True})
            return [str(item["_id"]) for item in await cursor.sort("_id", ASCENDING).limit(limit).to_list(limit)]

    async def items(self, event_ids: Iterable[str]) -> dict[str, Judged]:
        """The items with these ids, as far as they are there."""
        fields = ("product_id", "product.title", "prediction.category", "verdict.verdict")
        with self._store.named_errors():
            cursor = self._store.collection(ITEMS).find({"_id": {"$in": list(event_ids)}}, dict.fromkeys(fields, True))
            return {item["_id"]: _judged(item) async for item in cursor}

    async def conflicts(self) -> AsyncIterator[Conflict]:
        """Contents of which people say different things, and events whose content is not known."""
        group: list[Document] = []
        async for document in self._by_content():
            if group and _subject(document) != _subject(group[0]):
                if (conflict := await self._conflict(group)) is not None:
                    yield conflict
                group = []
            group.append(document)
        if group and (conflict := await self._conflict(group)) is not None:
            yield conflict

    async def _by_content(self) -> AsyncIterator[Document]:
        order = [("content", ASCENDING), ("event_id", ASCENDING)]
        async for document in scan(self._store, FEEDBACK, {"event_id": {"$ne": None}}, {"note": False}, order):
            yield document

    async def _conflict(self, group: Sequence[Document]) -> Conflict | None:
        if len({document["by"] for document in group}) < 2:
            return None
        items = await self.items({document["event_id"] for document in group})
        opinions = opinions_of(group, {key: item.code for key, item in items.items()})
        if len({opinion.code for opinion in opinions}) < 2:
            return None
        event_id = opinions[-1].event_id
        return Conflict(items.get(event_id) or Judged(event_id, None, None, None, None), tuple(opinions))


def opinions_of(documents: Iterable[Document], predicted: dict[str, str | None]) -> list[Opinion]:
    """What each person said last of one content, in the order of time; the last one stands.

    A withdrawal takes back all that was said of its event before.

    Args:
        documents: All verdicts on events with this content.
        predicted: Category of each event, which is what a validated one means.
    """
    said: dict[tuple[str, str], Opinion] = {}
    for document in sorted(documents, key=lambda one: (one["at"], one["_id"])):
        event_id, verdict = document["event_id"], document["verdict"]
        if verdict == "withdrawn":
            said = {key: opinion for key, opinion in said.items() if key[0] != event_id}
            continue
        code = predicted.get(event_id) if verdict == "validated" else document.get("code")
        said.pop((event_id, document["by"]), None)  # so that the order stays that of time
        opinion = Opinion(document["by"], verdict, code, document["at"], event_id, document["_id"])
        said[event_id, document["by"]] = opinion
    last = list({opinion.by: opinion for opinion in said.values()}.values())
    last.sort(key=lambda opinion: (opinion.at, opinion.feedback_id))
    return [*last[:-1], replace(last[-1], stands=True)] if last else []


def _subject(document: Document) -> str:
    return str(document.get("content") or document["event_id"])


def _judged(item: Document) -> Judged:
    category = item.get("prediction", {}).get("category", {})
    return Judged(
        item["_id"],
        item.get("product_id"),
        item.get("product", {}).get("title"),
        category.get("code"),
        category.get("label"),
        item.get("verdict", {}).get("verdict"),
    )
