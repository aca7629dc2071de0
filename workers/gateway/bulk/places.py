"""Where the files of jobs are: data directories, of a machine or shared by several, and whether anyone works there."""

import os
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Final
from uuid import uuid4

from pymongo import UpdateOne

from infra.lease import Clock, utc_now
from infra.store import LEASES, Store

GONE_AFTER: Final = timedelta(hours=1)
"""So long nobody has worked on the jobs of a directory until they are given up: a machine may be mended."""


def place_of(data_dir: Path) -> str:
    """The id of a data directory, made at its first use; blocks.

    Raises:
        OSError: It cannot be read or made.
    """
    path = data_dir / "jobs.place"
    while True:
        try:
            return path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            data_dir.mkdir(parents=True, exist_ok=True)
            made = path.with_name(f".{path.name}.{uuid4().hex}")
            made.write_text(uuid4().hex, encoding="ascii")
            try:
                os.link(made, path)  # whole, and of several processes the first one's stays
            except FileExistsError:
                continue
            finally:
                made.unlink()


class Places:
    """The data directories of all gateways.

    Args:
        store: Where they are noted.
        clock: Tells the time; those of all gateways agree to much less than `GONE_AFTER`.

    Its methods raise StoreUnavailable as the store does.
    """

    def __init__(self, store: Store, clock: Clock = utc_now) -> None:
        self._store = store
        self._clock = clock
        self._seen: dict[str, tuple[datetime, float]] = {}

    async def beat(self, place: str) -> None:
        """Note that somebody works on the jobs of a place now."""
        change = {"$max": {"until": self._clock()}, "$set": {"place": place}}
        await self._store.upsert(LEASES, [UpdateOne({"_id": f"jobs at {place}"}, change, upsert=True)])

    async def gone(self) -> list[str]:
        """Those where nobody has for long, and this object has looked on all the while; call it again and again."""
        with self._store.named_errors():
            found = self._store.collection(LEASES).find({"place": {"$exists": True}})
            beats = {str(one["place"]): one["until"] async for one in found}
        now, before = monotonic(), self._clock() - GONE_AFTER
        was, self._seen = self._seen, {}
        for place, beat in beats.items():
            known = was.get(place)
            self._seen[place] = known if known is not None and known[0] == beat else (beat, now)
        silent_s = GONE_AFTER.total_seconds()
        return [place for place, (beat, since) in self._seen.items() if beat < before and now - since >= silent_s]

    def look_anew(self) -> None:
        """Take nobody for gone for what was seen so far: the store was away, and nobody could be heard."""
        self._seen.clear()

    async def forget(self, place: str) -> None:
        """Forget one that is gone, unless somebody has come back."""
        query = {"_id": f"jobs at {place}", "until": {"$lt": self._clock() - GONE_AFTER}}
        with self._store.named_errors():
            await self._store.collection(LEASES).delete_one(query)
