"""Jobs in the store: who asked for what, and how far it is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from pymongo import DESCENDING, UpdateOne

from infra.lease import utc_now
from infra.store import JOBS, Document, Store
from schemas.http.job import Job
from schemas.http.paging import Page
from workers.gateway.access import Principal, Right
from workers.gateway.bulk.room import OPEN, Room
from workers.gateway.errors import Conflict, KeyReused, NotFound, TooMany
from workers.gateway.paging import cursor_of, place_of

PATH: Final = "/api/v1/jobs"
KEPT: Final = timedelta(days=7)
"""How long a job and its result are kept."""

_FURTHEST: Final = 100_000
_ENDED: Final = ("done", "cancelled", "failed")


@dataclass(frozen=True, slots=True)
class Asked:
    """A job that is asked for.

    Args:
        job_id: Its id.
        owner: Whose it is.
        file: The name of what was sent, for people.
        suffix: Of that name.
        digest: Of what was sent.
        place: Where that is kept.
        rows: How many it has.
    """

    job_id: str
    owner: str
    file: str
    suffix: str
    digest: str
    place: str
    rows: int


class Jobs:
    """The jobs of a store.

    Args:
        store: Where they are.

    Its methods raise StoreUnavailable as the store does.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.room = Room(store)

    async def ask(self, asked: Asked) -> Job:
        """Ask for a job; the same again where it was asked for before. It is taken up once its file is in its place.

        One that failed before anybody began with it was never of use: it is asked for anew.

        Raises:
            KeyReused: It was asked for before, with another file.
            TooMany: The account has as many under way as it may.
        """
        token = uuid4().hex  # tells whose of two at once it became
        fields = {
            "owner": asked.owner,
            "state": "waiting",
            "file": asked.file,
            "suffix": asked.suffix,
            "digest": asked.digest,
            "place": asked.place,
            "rows": asked.rows,
            "sent": 0,
            "answered": 0,
            "failed": 0,
            "epoch": 0,
            "asked_at": utc_now(),
            "token": token,
        }
        broken_off = {"_id": asked.job_id, "state": "failed", "started_at": None}
        with self._store.named_errors():
            await self._store.collection(JOBS).delete_one(broken_off | {"digest": {"$in": [asked.digest, None]}})
        await self._store.upsert(JOBS, [UpdateOne({"_id": asked.job_id}, {"$setOnInsert": fields}, upsert=True)])
        found = await self.document(asked.job_id)
        check_same(found, asked.digest)
        try:
            await self.room.take(asked.owner, asked.job_id)
        except TooMany:
            with self._store.named_errors():
                await self._store.collection(JOBS).delete_one({"_id": asked.job_id, "token": token})
            raise
        return job_of(found)

    async def document(self, job_id: str) -> Document:
        """A job as it is stored.

        Raises:
            NotFound: There is none.
        """
        found = await self.maybe(job_id)
        if found is None:
            raise NotFound("There is no such job.")
        return found

    async def maybe(self, job_id: str) -> Document | None:
        """A job as it is stored, if it is there."""
        with self._store.named_errors():
            found: Document | None = await self._store.collection(JOBS).find_one({"_id": job_id})
        return found

    async def own(self, job_id: str, who: Principal) -> Job:
        """A job of the caller's; an operator sees all.

        Raises:
            NotFound: There is none, or it is another's.
        """
        found = await self.document(job_id)
        if found["owner"] != who.name and not who.may(Right.OPERATE):
            raise NotFound("There is no such job.")
        return job_of(found)

    async def listed(self, who: Principal, limit: int, cursor: str | None) -> Page[Job]:
        """A page of the caller's jobs, the newest first; an operator sees all.

        Raises:
            Unprocessable: The cursor is none of this list.
        """
        query: Document = {} if who.may(Right.OPERATE) else {"owner": who.name}
        passed = 0 if cursor is None else min(int(place_of(cursor, float)[0]), _FURTHEST)
        with self._store.named_errors():
            found = self._store.collection(JOBS).find(query).sort([("asked_at", DESCENDING), ("_id", DESCENDING)])
            documents = await found.skip(max(passed, 0)).limit(limit + 1).to_list(limit + 1)
        more = cursor_of(float(passed + limit)) if len(documents) > limit else None
        return Page[Job](items=[job_of(one) for one in documents[:limit]], next=more)

    async def cancel(self, job_id: str) -> None:
        """End a job.

        Raises:
            Conflict: It has ended.
        """
        fields = {"state": "cancelled", "outcome": "cancelled", "ended_at": utc_now()}
        if not await self._update({"_id": job_id, "state": {"$in": list(OPEN)}}, fields):
            raise Conflict("The job has ended.")

    async def open(self, place: str) -> list[Document]:
        """Those of a place that are not done, and those from before places were noted; the oldest first."""
        query = {"state": {"$in": list(OPEN)}, "place": {"$in": [place, None]}}
        with self._store.named_errors():
            documents: list[Document] = await self._store.collection(JOBS).find(query).sort("asked_at").to_list(100)
        return documents

    async def give_up(self, place: str, why: str) -> int:
        """End all jobs of a place where nobody works any more; how many there were."""
        query = {"state": {"$in": list(OPEN)}, "place": place}
        with self._store.named_errors():
            done = await self._store.collection(JOBS).update_many(query, {"$set": failed(why)})
        return int(done.modified_count)

    async def write(self, job_id: str, epoch: int, fields: dict[str, Any]) -> bool:
        """Note how a job stands; False if it has ended, or is another's by now."""
        mine = {"_id": job_id, "state": {"$in": list(OPEN)}, "epoch": {"$lte": epoch}}
        return await self._update(mine, fields | {"epoch": epoch})

    async def forget(self, now: datetime) -> list[str]:
        """Remove the jobs that ended long ago; their ids."""
        old = {"state": {"$in": list(_ENDED)}, "ended_at": {"$lt": now - KEPT}}
        with self._store.named_errors():
            jobs = self._store.collection(JOBS)
            found = [str(one["_id"]) async for one in jobs.find(old, {"_id": True}).limit(100)]
            for job_id in found:
                await jobs.delete_one({"_id": job_id})
        return found

    async def _update(self, query: Document, fields: dict[str, Any]) -> bool:
        with self._store.named_errors():
            done = await self._store.collection(JOBS).update_one(query, {"$set": fields})
        return bool(done.matched_count)


def failed(why: str) -> dict[str, Any]:
    """What a job that cannot be done is noted with."""
    return {"state": "failed", "outcome": why, "ended_at": utc_now()}


def never_begun(document: Document) -> bool:
    """Whether a job failed before anybody began with it: its file never came, or is lost."""
    return document["state"] == "failed" and document.get("started_at") is None


def check_same(document: Document, digest: str) -> None:
    """Refuse a file that is not the job's; of the first jobs it was not noted which one is.

    Raises:
        KeyReused: It is another one.
    """
    if document.get("digest", digest) != digest:
        raise KeyReused("This Idempotency-Key was used for another file.", hint="Give each file a key of its own.")


def job_of(document: Document) -> Job:
    """A stored job as people see it."""
    ended = document["state"] in _ENDED
    return Job(
        id=document["_id"],
        started_at=document.get("started_at"),
        ended_at=document.get("ended_at"),
        outcome=document.get("outcome", ""),
        result=f"{PATH}/{document['_id']}/result" if ended and document["state"] != "failed" else None,
        **{name: document[name] for name in ("owner", "state", "file", "rows", "answered", "failed", "asked_at")},
    )
