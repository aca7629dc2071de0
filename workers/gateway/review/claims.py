"""Claims: which items a reviewer has before them, so that no other gets them.

One document an item in ``claims``: {_id: event_id, by, since, until, judged, feedback_id?, passed: [{by, until}]}. A
claim that is over is free again. One whose item was judged stays until the archive has that verdict, for a day at most.
`Turns` keeps a field of its own in the same document.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from infra.lease import Clock, utc_now
from infra.store import CLAIMS, ITEMS, Document, Store
from workers.gateway.review.turns import Turns

CLAIMED_FOR: Final = timedelta(minutes=10)
RENEWED_FOR: Final = timedelta(hours=1)
"""How long a claim is renewed by its reviewer's asking for more; a tab that died gives its items back after that."""

PASSED_FOR: Final = timedelta(hours=1)
_JUDGED_FOR: Final = timedelta(days=1)
_SWEEP_EVERY: Final = timedelta(minutes=1)
_SWEPT: Final = 500


class Claims:
    """The claims in a store.

    Args:
        store: Where they are.
        clock: Gives the time.

    Its methods raise StoreUnavailable and StoreRefused as the store does.
    """

    def __init__(self, store: Store, clock: Clock = utc_now) -> None:
        self._store = store
        self._clock = clock
        self._swept: datetime | None = None
        self.turns = Turns(store, clock)

    async def known(self, event_ids: Iterable[str]) -> dict[str, Document]:
        """What is known of these items."""
        with self._store.named_errors():
            found = self._store.collection(CLAIMS).find({"_id": {"$in": list(event_ids)}})
            return {claim["_id"]: claim async for claim in found}

    def is_free(self, claim: Document | None, who: str) -> bool:
        """Whether a reviewer may get an item: nobody has it, and it was not passed over."""
        if claim is None:
            return True
        now = self._clock()
        passed = any(one["by"] == who and one["until"] > now for one in claim.get("passed", ()))
        return not passed and claim["until"] <= now

    def is_held(self, claim: Document | None) -> bool:
        """Whether anybody has an item now, or judged it just now."""
        return claim is not None and bool(claim["until"] > self._clock())

    def is_anothers(self, claim: Document | None, who: str) -> bool:
        """Whether an item is before another reviewer now, or was judged just now."""
        return claim is not None and claim["until"] > self._clock() and (claim["by"] != who or claim["judged"])

    async def take(self, event_ids: Sequence[str], who: str, known: Mapping[str, Document]) -> list[str]:
        """Claim items that were free; returns those that no other was quicker to claim."""
        won = await asyncio.gather(*(self._take(event_id, who, known.get(event_id)) for event_id in event_ids))
        return [event_id for event_id, mine in zip(event_ids, won, strict=True) if mine]

    async def _take(self, event_id: str, who: str, known: Document | None) -> bool:
        now = self._clock()
        claim: Document = {"by": who, "since": now, "until": now + CLAIMED_FOR, "judged": False}
        collection = self._store.collection(CLAIMS)
        with self._store.named_errors():
            if known is not None:
                done = await collection.update_one({"_id": event_id, "until": {"$lte": now}}, {"$set": claim})
                return done.matched_count == 1
            try:
                await collection.insert_one({"_id": event_id, **claim})
            except DuplicateKeyError:
                return False
        return True

    async def take_named(self, event_ids: Sequence[str], who: str) -> list[str]:
        """Claim just these items, passed over or not; returns those that nobody else has, or judged just now."""
        known, now = await self.known(event_ids), self._clock()
        free = [one for one in event_ids if one not in known or known[one]["until"] <= now]
        rest = [one for one in event_ids if one not in set(free)]
        mine = {one for one in rest if known[one]["by"] == who and not known[one]["judged"]}
        await self.renew(who)
        mine.update(await self.take(free, who, known))
        return [one for one in event_ids if one in mine]

    async def renew(self, who: str) -> None:
        """Keep what a reviewer has for longer."""
        now = self._clock()
        held = {"by": who, "judged": False, "until": {"$gt": now}, "since": {"$gt": now - RENEWED_FOR}}
        with self._store.named_errors():
            await self._store.collection(CLAIMS).update_many(held, {"$set": {"until": now + CLAIMED_FOR}})

    async def pass_over(self, event_ids: Sequence[str], who: str) -> None:
        """Give items back, and do not give them to this reviewer for a while."""
        now, known = self._clock(), await self.known(event_ids)
        new = [event_id for event_id in event_ids if not self._has_passed(known.get(event_id), who, now)]
        passed = {"by": who, "until": now + PASSED_FOR}
        empty: Document = {"by": None, "since": now, "until": now, "judged": False}
        changes = [
            UpdateOne({"_id": event_id}, {"$push": {"passed": passed}, "$setOnInsert": empty}, upsert=True)
            for event_id in sorted(set(new))
        ]
        await self._store.upsert(CLAIMS, changes)
        await self.release(who, new)

    def _has_passed(self, claim: Document | None, who: str, now: datetime) -> bool:
        given = () if claim is None else claim.get("passed", ())
        return any(one["by"] == who and one["until"] > now for one in given)

    async def release(self, who: str, event_ids: Sequence[str] | None = None) -> int:
        """Give items back; None: all that this reviewer has."""
        now = self._clock()
        held: Document = {"by": who, "judged": False, "until": {"$gt": now}}
        if event_ids is not None:
            held["_id"] = {"$in": list(event_ids)}
        with self._store.named_errors():
            done = await self._store.collection(CLAIMS).update_many(held, {"$set": {"until": now}})
        return int(done.modified_count)

    async def settle(self, judged: Mapping[str, str], taken_back: Iterable[str], who: str) -> None:
        """Keep judged items from all until the archive has the verdict; those taken back are their reviewer's again.

        What another reviewer has before them stays theirs, whatever was said of it.

        Args:
            judged: The verdict's feedback_id by event.
            taken_back: Events without a verdict from now on.
            who: The reviewer, whose turn it is at all of them.
        """
        now = self._clock()
        claim: Document = {"by": who, "since": now}
        kept = claim | {"until": now + _JUDGED_FOR, "judged": True}
        back = claim | {"until": now + CLAIMED_FOR, "judged": False}
        changes = {event_id: kept | {"feedback_id": feedback_id} for event_id, feedback_id in judged.items()}
        changes |= dict.fromkeys(taken_back, back)
        not_anothers = {"$or": [{"by": who}, {"judged": True}, {"until": {"$lte": now}}]}
        await self._store.upsert(
            CLAIMS,
            [UpdateOne({"_id": key, **not_anothers}, {"$set": fields}) for key, fields in sorted(changes.items())],
        )

    async def sweep(self) -> None:
        """Now and then, forget claims that say nothing any more."""
        now = self._clock()
        if self._swept is not None and now - self._swept < _SWEEP_EVERY:
            return
        self._swept = now
        claims, items = self._store.collection(CLAIMS), self._store.collection(ITEMS)
        with self._store.named_errors():
            await claims.delete_many({"until": {"$lt": now - max(PASSED_FOR, RENEWED_FOR)}})
            judged = await claims.find({"judged": True}, {"feedback_id": True}).limit(_SWEPT).to_list(_SWEPT)
            said = {claim["_id"]: claim.get("feedback_id") for claim in judged}
            found = items.find({"_id": {"$in": list(said)}}, {"verdict.feedback_id": True})
            there = [one["_id"] async for one in found if one.get("verdict", {}).get("feedback_id") == said[one["_id"]]]
            if there:
                await claims.delete_many({"_id": {"$in": there}, "judged": True, "turn": None})
