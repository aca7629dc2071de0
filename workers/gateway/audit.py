"""The audit log: who did what, and what it was before and after. Entries are only ever added."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from pymongo import DESCENDING
from pymongo.errors import BulkWriteError

from infra.errors import StoreUnavailable
from infra.store import AUDIT, Document, Store
from schemas.http.audit import AuditEntry
from schemas.http.paging import Page
from workers.gateway.access import Principal
from workers.gateway.paging import cursor_of, place_of

_RANDOM_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that is done.

    Args:
        action: What, as a noun and a verb: ``verdict.give``, ``item.delete``.
        subject: What it is done to: an event id, an account's name, a version.
        before: How that was, as plain values that JSON has, and times.
        after: How it is to be from now on.
    """

    action: str
    subject: str
    before: object = None
    after: object = None


@dataclass(frozen=True, slots=True)
class AuditChoice:
    """Which entries; None means any. ``since`` is included, ``until`` is not."""

    who: str | None = None
    action: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def query(self) -> Document:
        """The same as a query."""
        named = {"who": self.who, "action": self.action, "subject": self.subject}
        between = {"$gte": self.since, "$lt": self.until}
        query: Document = {name: value for name, value in named.items() if value is not None}
        at = {name: bound for name, bound in between.items() if bound is not None}
        return query | ({"at": at} if at else {})


class Audit:
    """Writes and reads the log.

    Args:
        store: Where it is kept.

    Its methods raise StoreUnavailable and StoreRefused as the store does: what cannot be noted is not to be done.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def note(
        self,
        who: Principal | str,
        action: str,
        subject: str,
        *,
        before: object = None,
        after: object = None,
        request_id: str | None = None,
    ) -> None:
        """Add an entry; to be called before what it tells of is done.

        Args:
            who: The caller; the name alone of somebody who has no account here, ``aisle`` for aisle itself.
            action: What is done; see `Deed`.
            subject: What it is done to.
            before: How that was, as plain values that JSON has, and times.
            after: How it is to be from now on.
            request_id: Of the request that asked for it: ``request.state.request_id``.

        Raises:
            DocumentRefused: Before or after has a value that no document can hold.
        """
        await self.note_all(who, [Deed(action, subject, before, after)], request_id=request_id)

    async def note_all(self, who: Principal | str, deeds: Iterable[Deed], *, request_id: str | None = None) -> None:
        """Add an entry for each of these; all or, with an error, maybe some of them.

        Raises:
            DocumentRefused: As above.
        """
        documents = [_document(who, deed, request_id) for deed in deeds]
        if not documents:
            return
        try:
            with self._store.named_errors():
                await self._store.collection(AUDIT).insert_many(documents)
        except BulkWriteError as error:
            raise StoreUnavailable("The audit log could not be written.") from error

    async def read(self, choice: AuditChoice, limit: int, cursor: str | None = None) -> Page[AuditEntry]:
        """A page of the log, newest first.

        Raises:
            Unprocessable: The cursor is not one of this list's.
        """
        query = choice.query()
        if cursor is not None:
            query["_id"] = {"$lt": place_of(cursor, str)[0]}
        with self._store.named_errors():
            found = self._store.collection(AUDIT).find(query).sort("_id", DESCENDING).limit(limit + 1)
            documents: list[Document] = await found.to_list(limit + 1)
        more = len(documents) > limit
        entries = [_entry(document) for document in documents[:limit]]
        return Page[AuditEntry](items=entries, next=cursor_of(entries[-1].id) if more else None)


def _document(who: Principal | str, deed: Deed, request_id: str | None) -> Document:
    at = datetime.now(UTC)
    account: dict[str, Any] = {"who": who, "role": None} if isinstance(who, str) else _account(who)
    return {
        "_id": f"{at:%Y%m%dT%H%M%S.%f}-{uuid4().hex[:_RANDOM_DIGITS]}",
        "at": at,
        **account,
        "action": deed.action,
        "subject": deed.subject,
        "before": deed.before,
        "after": deed.after,
        "request_id": request_id,
    }


def _account(who: Principal) -> Document:
    return {"who": who.name, "role": who.role.value}


def _entry(document: Document) -> AuditEntry:
    fields = {name: value for name, value in document.items() if name != "_id"}
    return AuditEntry(id=document["_id"], **fields)
