"""What was said of items before, by the items and by the audit log, which knows of it at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pymongo import ASCENDING

from infra.store import AUDIT, Document, Store

GIVE: Final = "verdict.give"
FAILED: Final = "verdict.failed"


@dataclass(slots=True)
class History:
    """What the audit log says of one item's verdicts: the entries by feedback_id, the latest last."""

    given: dict[str, Document] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    def take(self, entry: Document) -> None:
        """Add the next entry."""
        feedback_id = (entry.get("after") or {}).get("feedback_id")
        if feedback_id is None:
            return
        if entry["action"] == FAILED:
            self.failed.add(feedback_id)
        else:
            self.given.pop(feedback_id, None)
            self.given[feedback_id] = entry
            self.failed.discard(feedback_id)

    def last(self, *, but: str) -> Document | None:
        """The last verdict that was sent, other than that one."""
        sent = [entry for key, entry in self.given.items() if key != but and key not in self.failed]
        return {**sent[-1]["after"], "by": sent[-1]["who"]} if sent else None


async def histories(store: Store, event_ids: Iterable[str]) -> dict[str, History]:
    """The histories of items.

    Raises:
        StoreUnavailable: The store is away.
    """
    told = {event_id: History() for event_id in event_ids}
    query = {"subject": {"$in": list(told)}, "action": {"$in": [GIVE, FAILED]}}
    with store.named_errors():
        async for entry in store.collection(AUDIT).find(query).sort("_id", ASCENDING):
            told[entry["subject"]].take(entry)
    return told


def standing(item: Document, history: History, *, but: str) -> Document | None:
    """The verdict in force, other than that one: the item's, or a later one that the archive has not got yet.

    Returns:
        {verdict, code?, by, at, feedback_id}, or None.
    """
    stored: Document | None = item.get("verdict")
    if stored is not None and stored["feedback_id"] == but:
        stored = None
    noted = history.last(but=but)
    if stored is None or noted is None:
        return stored or noted
    return max(stored, noted, key=_at)


def _at(verdict: Document) -> tuple[datetime, str]:
    return verdict["at"], verdict["feedback_id"]
