"""What a check found, as the store keeps it; and which of its causes somebody has to be told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from pymongo import DESCENDING, UpdateOne

from infra.store import MONITOR, Document, Store

Kind = Literal["drift", "accuracy", "canary", "serving", "swap"]

KEPT: Final = timedelta(days=90)


@dataclass(frozen=True)
class Check:
    """What was found.

    Args:
        kind: What was looked at.
        at: When.
        model_version: The champion's.
        figures: By name, for the document.
        causes: What is wrong, by a name that stays the same as long as it is; a sentence each.
        tells: Whether it could tell of a cause; what it could not tell of stands as it did before.
    """

    kind: Kind
    at: datetime
    model_version: str
    figures: Mapping[str, Any]
    causes: Mapping[str, str] = field(default_factory=dict)
    tells: Callable[[str], bool] = lambda _cause: True

    @property
    def identity(self) -> str:
        """The document's id."""
        return f"{self.kind}-{self.model_version}-{self.at:%Y%m%dT%H%M%SZ}"

    @property
    def document(self) -> Document:
        """As the collection has it."""
        return {
            "kind": self.kind,
            "at": self.at,
            "model_version": self.model_version,
            "alert": bool(self.causes),
            "causes": dict(self.causes),
            **self.figures,
        }


@dataclass(frozen=True)
class News:
    """What changed since people were told last."""

    raised: Mapping[str, str]
    cleared: list[str]

    def __bool__(self) -> bool:
        return bool(self.raised or self.cleared)


def news_of(check: Check, told: list[str]) -> News:
    """What has to be said: each cause once, and once more when it is gone.

    Args:
        check: What was found now.
        told: The causes that people know of.
    """
    raised = {name: why for name, why in check.causes.items() if name not in told}
    return News(raised, [name for name in told if name not in check.causes])


class Checks:
    """The collection of checks. ``told`` in the newest of a kind are the causes that people know of.

    Args:
        store: Where it is.

    Its methods raise StoreUnavailable and StoreRefused as the store does.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def last(self, kind: Kind, **of: Any) -> Document | None:
        """The newest of a kind; of those with these fields, as the store is asked for them."""
        with self._store.named_errors():
            document: Document | None = await self._store.collection(MONITOR).find_one(
                {"kind": kind, **of}, sort=[("at", DESCENDING)]
            )
        return document

    async def continued(self, check: Check) -> Check:
        """A check with those causes of the one before that it could not tell of: nobody knows that they are over."""
        if (before := await self.last(check.kind)) is None:
            return check
        stand = {name: why for name, why in before["causes"].items() if not check.tells(name)}
        return replace(check, causes={**stand, **check.causes})

    async def keep(self, check: Check) -> News:
        """Store a check, and say what has to be told because of it; nobody is told by then."""
        before = await self.last(check.kind)
        told = list(before.get("told", ())) if before else []
        document = {"$set": check.document | {"told": told}}
        await self._store.upsert(MONITOR, [UpdateOne({"_id": check.identity}, document, upsert=True)])
        return news_of(check, told)

    async def told(self, check: Check) -> None:
        """Note that people know of a check's causes, and of those that are gone."""
        change = {"$set": {"told": list(check.causes)}}
        await self._store.upsert(MONITOR, [UpdateOne({"_id": check.identity}, change)])

    async def forget(self, now: datetime) -> None:
        """Remove checks of more than 90 days ago."""
        with self._store.named_errors():
            await self._store.collection(MONITOR).delete_many({"at": {"$lt": now - KEPT}})
