"""Finding items: one by its id, or pages of those that fit."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING

from infra.settings import Settings
from infra.store import ITEMS, Document, Store
from model.shelves import TaxonomyInForce
from schemas.http.item import Item
from schemas.http.paging import Page
from workers.gateway.access import Principal, Right
from workers.gateway.errors import NotFound, Unprocessable
from workers.gateway.items.choice import ItemChoice, Order
from workers.gateway.items.photo import may_name_photos
from workers.gateway.items.view import LISTED, SHOWN, item_of
from workers.gateway.paging import cursor_of, place_of

LONGEST_SCAN: Final = 5_000
"""Items that a page looks at; a search for a rare word goes on by the cursor."""

_BATCH: Final = 200
_CONFIDENCE: Final = "prediction.confidence"


class Items:
    """The items of a store.

    Args:
        store: Where the archive keeps them.
        shelves: What codes stand for.
        settings: Say in which language themes are named, and who sees which photos.

    Its methods raise StoreUnavailable and StoreRefused as the store does.
    """

    def __init__(self, store: Store, shelves: TaxonomyInForce, settings: Settings) -> None:
        self._store = store
        self._shelves = shelves
        self._settings = settings

    async def document(self, event_id: str, who: Principal) -> Document:
        """An item as it is stored.

        Raises:
            NotFound: There is none, or it is not the caller's.
        """
        with self._store.named_errors():
            found = await self._store.collection(ITEMS).find_one({"_id": event_id}, SHOWN)
        mine = found is not None and found.get("product", {}).get("submitted_by") == who.name
        if found is None or not (mine or who.may(Right.REVIEW)):
            raise NotFound("No item has this id.")
        return found

    async def one(self, event_id: str, who: Principal) -> Item:
        """An item.

        Raises:
            NotFound: As above.
        """
        return self.shown(await self.document(event_id, who), who)

    def shown(self, document: Document, who: Principal) -> Item:
        """A stored item as this caller sees it."""
        named = may_name_photos(who, self._settings)
        return item_of(document, self._shelves.category, whole=who.may(Right.REVIEW), named=named)

    async def page(
        self, choice: ItemChoice, order: Order, who: Principal, limit: int, cursor: str | None = None
    ) -> Page[Item]:
        """Items that fit, newest or least sure first.

        Raises:
            Unprocessable: The cursor is not one of this list's.
        """
        query = choice.query(self._shelves.now(), self._settings.language)
        field, direction, read = _order(choice, order)
        if field == _CONFIDENCE:
            query.setdefault(field, {"$gte": 0})
        if cursor is not None:
            query |= _behind(field, direction, read, cursor)
        found = self._store.collection(ITEMS).find(query, LISTED).sort([(field, direction), ("_id", direction)])
        found.limit(LONGEST_SCAN).batch_size(_BATCH)
        items: list[Item] = []
        last: Document | None = None
        scanned = 0
        while True:
            with self._store.named_errors():
                batch: list[Document] = await found.to_list(_BATCH)
            for document in batch:
                if len(items) == limit:
                    await found.close()
                    return Page[Item](items=items, next=_cursor(field, last))
                last, scanned = document, scanned + 1
                if choice.fits(document):
                    items.append(self.shown(document, who))
            if len(batch) < _BATCH:
                return Page[Item](items=items, next=_cursor(field, last) if scanned == LONGEST_SCAN else None)


def _order(choice: ItemChoice, order: Order) -> tuple[str, int, Callable[[str], Any]]:
    """The field that orders a list, its direction, and how its value is read from a cursor."""
    if order == "unsure":
        return _CONFIDENCE, ASCENDING, float
    field = "dead_letter.at" if choice.state == "dead-letter" else "product.published_at"
    return field, DESCENDING, _time


def _cursor(field: str, document: Document | None) -> str:
    assert document is not None  # noqa: S101 - a page that is full, or a scan that came to its end, saw some
    part, _, name = field.partition(".")
    value = document.get(part, {}).get(name)
    return cursor_of(field, _text(value), document["_id"])


def _behind(field: str, direction: int, read: Callable[[str], Any], cursor: str) -> Document:
    """What comes after the place of a cursor; items without the field come last.

    Raises:
        Unprocessable: It is another list's, or made up.
    """
    of, text, event_id = map(str, place_of(cursor, str, str, str))
    beyond = "$gt" if direction == ASCENDING else "$lt"
    same: Document = {"_id": {beyond: event_id}}
    if of != field:
        raise Unprocessable("The cursor is another list's.", hint="Begin without one.")
    if not text:
        return {"$or": [{field: None, **same}]}
    try:
        value = read(text)
    except (ValueError, OverflowError):
        raise Unprocessable("The cursor is none that a page of this list gave.", hint="Begin without one.") from None
    return {"$or": [{field: {beyond: value}}, {field: value, **same}, {field: None}]}


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else str(value)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
