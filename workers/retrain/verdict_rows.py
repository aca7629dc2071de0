"""Verdicts joined with the products they are about: what people say of each content."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from infra.feedback_log import Opinion, opinions_of
from infra.scan import scan
from infra.store import FEEDBACK, ITEMS, Document, Store
from schemas.ids import is_canary
from workers.retrain.set_rows import Key, content_of

_FIELDS: Final = (
    "product_id",
    "product.title",
    "product.description",
    "product.image.sha256",
    "prediction.category.code",
)


@dataclass(frozen=True, slots=True)
class Said:
    """What people say of one content.

    Args:
        title: As it was published.
        description: Likewise.
        photo: SHA-256 of the photo, where it was kept.
        opinions: What each person said last, in the order of time.
        product_id: The product of the event that was judged last.
        predicted: What a model took that one for.
    """

    title: str | None
    description: str | None
    photo: str | None
    opinions: tuple[Opinion, ...]
    product_id: str | None = None
    predicted: str | None = None

    @property
    def key(self) -> Key:
        """What a model sees of it."""
        return content_of(self.title, self.description, self.photo)


@dataclass(frozen=True)
class Log:
    """All verdicts and the items that they are about, as they were in the store at one time.

    Args:
        documents: The verdicts that name an event.
        items: The items, by event id, as far as they are archived.
    """

    documents: Sequence[Document]
    items: Mapping[str, Document]

    @property
    def waiting(self) -> int:
        """Verdicts whose product is not archived."""
        return sum(not self._product(document) for document in self.documents)

    def said(self, without: Collection[str] = (), ids: Collection[str] = ()) -> list[Said]:
        """What people say of each content, in the order of contents; not of canaries, which only ever measure.

        Args:
            without: Authors to pass over, with all that they withdrew.
            ids: Single verdicts to pass over.
        """
        by_content: dict[str, list[Document]] = defaultdict(list)
        for document in self.documents:
            if self._teaches(document) and document["by"] not in without and document["_id"] not in ids:
                by_content[str(document.get("content") or document["event_id"])].append(document)
        return [said for _, some in sorted(by_content.items()) if (said := self._said(some)) is not None]

    def product_of(self, feedback_id: str) -> Document | None:
        """The product that a verdict is about; None where either is gone."""
        document = self._by_id.get(feedback_id)
        return None if document is None else self._product(document)

    @cached_property
    def _by_id(self) -> dict[str, Document]:
        return {document["_id"]: document for document in self.documents}

    def _said(self, documents: list[Document]) -> Said | None:
        events = {document["event_id"] for document in documents}
        predicted = {event: _code(self.items[event]) for event in events}
        # A validated item without a prediction says nothing.
        opinions = [one for one in opinions_of(documents, predicted) if one.code or one.verdict == "rejected"]
        if not opinions:
            return None
        event = opinions[-1].event_id
        product = self.items[event]["product"]
        photo = (product.get("image") or {}).get("sha256")
        name = self.items[event].get("product_id")
        return Said(product.get("title"), product.get("description"), photo, tuple(opinions), name, predicted[event])

    def _teaches(self, document: Document) -> bool:
        item = self.items.get(document["event_id"], {})
        return "product" in item and not is_canary(item.get("product_id"))

    def _product(self, document: Document) -> Document | None:
        found: Document | None = self.items.get(document["event_id"], {}).get("product")
        return found


async def read_log(store: Store) -> Log:
    """All verdicts with their products, by two scans.

    Raises:
        StoreUnavailable: The store is away.
        StoreRefused: It refuses to be read.
    """
    documents = [one async for one in scan(store, FEEDBACK, {"event_id": {"$ne": None}}, {"note": False})]
    if not documents:
        return Log((), {})
    items = {item["_id"]: item async for item in scan(store, ITEMS, {"verdict.at": {"$exists": True}}, _FIELDS)}
    return Log(sorted(documents, key=lambda one: str(one["_id"])), items)


def standing(opinions: Sequence[Opinion]) -> Opinion:
    """The word that counts where people differ: what more than half of them say, else what was said last.

    Each person has one voice, that of their last word. Of those who say the same, the last one's verdict is taken.
    """
    voices: dict[str | None, list[Opinion]] = defaultdict(list)
    for opinion in opinions:
        voices[opinion.code].append(opinion)
    most = max(voices.values(), key=len)
    return most[-1] if 2 * len(most) > len(opinions) else opinions[-1]


def _code(item: Mapping[str, Any]) -> str | None:
    code: str | None = item.get("prediction", {}).get("category", {}).get("code")
    return code
