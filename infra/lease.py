"""A lease in the store: one holder at a time, and an epoch by which a holder that was asleep is told apart.

Every holder gets a higher epoch than the one before (the fencing token of Kleppmann 2016, "How to do distributed
locking"). What a holder writes names its epoch, so that nothing of a former one is taken for its own.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, cast

from pymongo import UpdateOne

from infra.store import LEASES, Store

_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time, to the millisecond, which is what the store keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1_000 * 1_000)


async def holder_of(store: Store, name: str, clock: Clock = utc_now) -> str | None:
    """Who holds a lease now; None: nobody.

    Raises:
        StoreUnavailable: The store is away.
    """
    with store.named_errors():
        found = await store.collection(LEASES).find_one({"_id": name})
    return str(found["holder"]) if found is not None and found["until"] > clock() else None


class Lease:
    """The right to do something alone, for a while.

    Args:
        store: Where it is kept.
        name: What it is the right to.
        holder: Who takes it; another one each time a process starts.
        lasts_s: Seconds until it is anyone's, if it is not renewed. The clocks of all who take it have to agree to
            much less than this.
        clock: Tells the time.
    """

    def __init__(self, store: Store, name: str, holder: str, *, lasts_s: float = 30.0, clock: Clock = utc_now) -> None:
        self._store = store
        self._name = name
        self._holder = holder
        self._lasts = timedelta(seconds=lasts_s)
        self._clock = clock
        self.epoch = 0

    async def take(self) -> bool:
        """Take it if it is free, or hold on to it; says whether it is held now.

        Raises:
            StoreUnavailable: The store is away.
        """
        if self.epoch and await self.renew():
            return True
        # Epochs go on growing even where the collection was lost: they begin with the time.
        now = self._clock()
        first = {"epoch": int(now.timestamp()), "holder": "", "until": _NEVER, "since": now}
        await self._store.upsert(LEASES, [UpdateOne({"_id": self._name}, {"$setOnInsert": first}, upsert=True)])
        with self._store.named_errors():
            leases = self._store.collection(LEASES)
            found = await leases.find_one({"_id": self._name})
            if found is None or found["until"] > self._clock():
                return False
            mine = {"epoch": found["epoch"] + 1, "holder": self._holder, "until": self._clock() + self._lasts}
            # Only if nobody has touched it since it was read.
            done = await leases.update_one({name: found[name] for name in ("_id", "epoch", "until")}, {"$set": mine})
        if done.modified_count:
            self.epoch = mine["epoch"]
        return bool(done.modified_count)

    async def renew(self) -> bool:
        """Hold it for longer; False if it is another's by now.

        Raises:
            StoreUnavailable: The store is away.
        """
        return await self._set({"until": self._clock() + self._lasts})

    async def drop(self) -> None:
        """Let others have it at once.

        Raises:
            StoreUnavailable: The store is away.
        """
        await self._set({"until": _NEVER})
        self.epoch = 0

    async def since(self) -> datetime:
        """When it was first taken by anyone.

        Raises:
            StoreUnavailable: The store is away.
        """
        with self._store.named_errors():
            found = await self._store.collection(LEASES).find_one({"_id": self._name}, {"since": True})
        return self._clock() if found is None else cast(datetime, found["since"])

    async def _set(self, change: dict[str, datetime]) -> bool:
        mine = {"_id": self._name, "epoch": self.epoch, "holder": self._holder}
        with self._store.named_errors():
            done = await self._store.collection(LEASES).update_one(mine, {"$set": change})
        if not done.matched_count:
            self.epoch = 0
        return bool(done.matched_count)
