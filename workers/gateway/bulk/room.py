"""How many files of an account may be under way, however many gateways are asked at the same moment."""

import asyncio
from random import random
from typing import Final

from pymongo import UpdateOne

from infra.store import JOBS, LEASES, Document, Store
from workers.gateway.errors import TooMany

MOST_OPEN: Final = 5
OPEN: Final = ("waiting", "running")

_RACES: Final = 20
_PAUSE_S: Final = 0.05


class Room:
    """The place that accounts have for jobs; which ones take it is noted in one document of each account.

    Args:
        store: Where that is.

    Its methods raise StoreUnavailable as the store does.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def check(self, owner: str) -> None:
        """Refuse an account that has as many under way as it may; what passes may still find no room.

        Raises:
            TooMany: It has.
        """
        with self._store.named_errors():
            found = await self._store.collection(JOBS).count_documents({"owner": owner, "state": {"$in": list(OPEN)}})
        if found >= MOST_OPEN:
            raise _full()

    async def take(self, owner: str, job_id: str) -> None:
        """Take a place for a job that is stored already; it is free again when the job has ended.

        Raises:
            TooMany: There is none, or too many want one at the same moment.
        """
        mine = {"_id": f"files of {owner}"}
        first = {"$setOnInsert": {"epoch": 0, "jobs": []}}
        await self._store.upsert(LEASES, [UpdateOne(mine, first, upsert=True)])
        for _ in range(_RACES):
            with self._store.named_errors():
                found = await self._store.collection(LEASES).find_one(mine)
            if found is not None:
                taken = await self._open(found)
                if job_id in taken:
                    return
                if len(taken) >= MOST_OPEN:
                    raise _full()
                if await self._write(found, [*taken, job_id]):
                    return
            await asyncio.sleep(_PAUSE_S * random())  # noqa: S311 - so that those who race do not meet again
        raise TooMany("Too many of your files come at the same moment.", retry_after_s=1)

    async def _open(self, found: Document) -> list[str]:
        query = {"_id": {"$in": found["jobs"]}, "state": {"$in": list(OPEN)}}
        with self._store.named_errors():
            return [str(one["_id"]) async for one in self._store.collection(JOBS).find(query, {"_id": True})]

    async def _write(self, found: Document, jobs: list[str]) -> bool:
        """Write it, if nobody has since it was read."""
        was = {"_id": found["_id"], "epoch": found["epoch"]}
        with self._store.named_errors():
            done = await self._store.collection(LEASES).update_one(
                was, {"$set": {"jobs": jobs, "epoch": found["epoch"] + 1}}
            )
        return bool(done.modified_count)


def _full() -> TooMany:
    return TooMany(f"{MOST_OPEN} of your files are under way already.", hint="Wait for one, or cancel one.")
