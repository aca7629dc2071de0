"""Dead letters in the store: which of them are open, and what people did about them.

The items' dead letters belong to the archive and are only read here. What people do about them is noted in a
collection of its own, which no topic leads to: a replay cannot change it.
"""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args
from uuid import uuid4

from pymongo import ASCENDING, DESCENDING, UpdateOne

from infra.forgotten import Forgotten
from infra.scan import batches
from infra.store import DLQ_ACTIONS, ITEMS, Document, Store
from schemas.dead_letter import DeadLetter, Stage
from schemas.headers import Headers

State = Literal["open", "retried", "dropped", "predicted"]
STATES: Final[tuple[State, ...]] = get_args(State)
UNSETTLED: Final[tuple[State, ...]] = ("open", "retried")

_REASON: Final = tuple(DeadLetter.model_fields)
_CONTENT: Final = ("key", "value", "headers")
_SUMMARY_BATCH: Final = 500
_CONTENT_BATCH: Final = 32  # of at most 2 MiB each


@dataclass(frozen=True, slots=True)
class Action:
    """What somebody did about a dead letter that had failed ``attempts`` times."""

    event_id: str
    what: Literal["retried", "dropped"]
    by: str
    at: datetime
    attempts: int
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter as stored; key, value and headers are None and empty where only a summary was asked for."""

    event_id: str
    product_id: str | None
    at: datetime
    reason: DeadLetter
    predicted: bool
    actions: tuple[Action, ...] = ()
    key: bytes | None = None
    value: bytes | None = None
    headers: Headers = ()

    @property
    def state(self) -> State:
        """What became of it.

        A prediction settles it whenever it was made: the earliest one stands, so trying again would change
        nothing. An action is about the attempts there were then; the next failure opens the letter again, and
        the same failure, read again from the topics, does not.
        """
        if self.predicted:
            return "predicted"
        done = [action.what for action in self.actions if action.attempts >= self.reason.attempts]
        return done[-1] if done else "open"

    @property
    def unread(self) -> bool:
        """Whether the record was given up unfetched, since even that ended the process; of a letter in full."""
        return self.reason.stage == "poison" and self.value is None and self.reason.value_sha256 is None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which dead letters; None means any. ``since`` is included, ``until`` is not."""

    event_ids: Sequence[str] | None = None
    stage: Stage | None = None
    reason: str | None = None
    product_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def query(self) -> Document:
        """The same as a query on items."""
        between = {"$gte": self.since, "$lt": self.until}
        at = {name: bound for name, bound in between.items() if bound is not None}
        query: Document = {"dead_letter.at": {"$exists": True, **at}}
        if self.event_ids is not None:
            query["_id"] = {"$in": list(self.event_ids)}
        named = {
            "dead_letter.stage": self.stage,
            "dead_letter.error_class": self.reason,
            "product_id": self.product_id,
        }
        return query | {name: value for name, value in named.items() if value is not None}


class DeadLetters:
    """The dead letters of a store.

    Args:
        store: Where items and actions are.

    ``forgotten`` is what is not sent again. Its methods raise StoreUnavailable and StoreRefused as the store does.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.forgotten = Forgotten(store)

    async def find(
        self, choice: Choice, states: Iterable[State], *, newest_first: bool = True, limit: int | None = None
    ) -> AsyncIterator[Letter]:
        """Summaries of the chosen letters that are in one of these states, by the time they failed."""
        wanted, query, left = set(states), choice.query(), limit
        if "predicted" not in wanted:
            query["prediction"] = {"$exists": False}
        fields = ["product_id", "prediction.classified_at", *(f"dead_letter.{name}" for name in ("at", *_REASON))]
        direction = DESCENDING if newest_first else ASCENDING
        # By the id too: a batch fails at one time, and without it a store may give those in another order each time.
        order = [("dead_letter.at", direction), ("_id", direction)]
        async for letter in self._letters(batches(self._store, ITEMS, query, fields, order, _SUMMARY_BATCH)):
            if letter.state in wanted:
                yield letter
                left = None if left is None else left - 1
                if left == 0:
                    return

    async def read(self, event_ids: Sequence[str]) -> AsyncIterator[Letter]:
        """These letters in full, in this order as far as they are there."""
        for start in range(0, len(event_ids), _CONTENT_BATCH):
            ids = list(event_ids[start : start + _CONTENT_BATCH])
            query = {"_id": {"$in": ids}, "dead_letter.at": {"$exists": True}}
            some = batches(self._store, ITEMS, query, size=_CONTENT_BATCH)
            found = {letter.event_id: letter async for letter in self._letters(some)}
            for event_id in ids:
                if event_id in found:
                    yield found[event_id]

    async def beginning_with(self, prefix: str, limit: int) -> list[str]:
        """The first event ids of dead letters that begin so."""
        # Ids are UUIDs in lower case: "g" comes after every character that one may go on with.
        query = {"_id": {"$gte": prefix, "$lt": prefix + "g"}, "dead_letter.at": {"$exists": True}}
        with self._store.named_errors():
            cursor = self._store.collection(ITEMS).find(query, {"_id": True}).sort("_id", ASCENDING)
            return [str(document["_id"]) for document in await cursor.limit(limit).to_list(limit)]

    async def note(self, actions: Iterable[Action]) -> None:
        """Write down what was done."""
        documents = sorted((str(uuid4()), action) for action in actions)
        await self._store.upsert(
            DLQ_ACTIONS,
            [UpdateOne({"_id": key}, {"$setOnInsert": _fields(action)}, upsert=True) for key, action in documents],
        )

    async def _letters(self, found: AsyncIterable[list[Document]]) -> AsyncIterator[Letter]:
        async for documents in found:
            actions = await self._actions([document["_id"] for document in documents])
            for document in documents:
                yield _letter(document, tuple(actions.get(document["_id"], ())))

    async def _actions(self, event_ids: list[str]) -> dict[str, list[Action]]:
        found: dict[str, list[Action]] = {}
        with self._store.named_errors():
            cursor = self._store.collection(DLQ_ACTIONS).find({"event_id": {"$in": event_ids}})
            async for document in cursor.sort([("at", ASCENDING)]):
                found.setdefault(document["event_id"], []).append(_action(document))
        return found


def _fields(action: Action) -> Document:
    fields: Document = {
        "event_id": action.event_id,
        "action": action.what,
        "by": action.by,
        "at": action.at,
        "attempts": action.attempts,
    }
    return fields if action.why is None else fields | {"why": action.why}


def _action(document: Document) -> Action:
    names = ("event_id", "by", "at", "attempts")
    return Action(what=document["action"], why=document.get("why"), **{name: document[name] for name in names})


def _letter(document: Document, actions: tuple[Action, ...]) -> Letter:
    part = document["dead_letter"]
    return Letter(
        event_id=document["_id"],
        product_id=document.get("product_id"),
        at=part["at"],
        reason=DeadLetter.model_validate({name: part[name] for name in _REASON if name in part}),
        predicted="prediction" in document,
        actions=actions,
        key=part.get("key"),
        value=part.get("value"),
        headers=[(header["name"], header["value"]) for header in part.get("headers", ())],
    )
