"""Retraining runs in the store: asked for, under way, ended; each with what fired it and what came of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field
from pymongo import DESCENDING, UpdateOne

from infra.lease import utc_now
from infra.store import RUNS, Document, Store

State = Literal["requested", "running", "promoted", "passed", "refused", "failed", "cancelled"]
"""``passed``: good enough, but not put in service, as nobody wants that done without a hand."""

ENDED: Final[frozenset[State]] = frozenset({"promoted", "passed", "refused", "failed", "cancelled"})
LEASE: Final = "retraining"
"""Whoever has it carries out runs."""

OPEN: Final[tuple[State, ...]] = ("requested", "running")

_LOG_LINES: Final = 400
_GOLDEN: Final = ("weighted_f1", "own_weighted_f1")  # of the champion then, and of the new model


class LogLine(BaseModel):
    """What was said of a run, and when."""

    at: datetime
    said: str


class Run(BaseModel):
    """One training by the retraining worker; runs are numbered.

    Its ``counted`` are ids of feedback that had become known within minutes before ``cut_at`` and was counted for it:
    later counts begin a little before the cut, and leave these out. None: there were too many, they begin with the cut.
    """

    model_config = ConfigDict(populate_by_name=True, extra="ignore")

    id: int = Field(alias="_id")
    token: str = Field(description="Tells who asked for it, of two who would ask at once.")
    state: State
    trigger: str
    why: str
    figures: dict[str, Any] = {}
    by: str
    asked_at: datetime
    attempt: int = 0
    epoch: int = 0
    cut_at: datetime | None = None
    counted: list[str] | None = []
    champion: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    step: str = ""
    part: float = 0.0
    log: list[LogLine] = []
    set_version: str | None = None
    golden_sha256: str | None = None
    version: str | None = None
    decision: dict[str, Any] | None = None
    outcome: str = ""
    cancel: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing more will become of it."""
        return self.state in ENDED


class Runs:
    """The runs of a store.

    Args:
        store: Where they are.

    Its methods raise StoreUnavailable when the store is away.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def ask(self, trigger: str, why: str, by: str, figures: dict[str, Any], after: int) -> Run | None:
        """Ask for the run that follows on another; None where somebody has asked for one meanwhile.

        So nobody who was asleep asks again for what was asked for, and carried out, while he slept.

        Args:
            trigger: What fired.
            why: Its figures in words.
            by: Who asks.
            figures: What it looked at.
            after: The number of the last run that was known; 0: none was.
        """
        run = Run(
            id=after + 1,
            token=uuid4().hex,
            state="requested",
            trigger=trigger,
            why=why,
            figures=figures,
            by=by,
            asked_at=utc_now(),
        )
        fields = run.model_dump(exclude={"id"})
        await self._store.upsert(RUNS, [UpdateOne({"_id": run.id}, {"$setOnInsert": fields}, upsert=True)])
        stands = await self.get(run.id)
        return run if stands is not None and stands.token == run.token else None

    async def ask_by_hand(self, by: str, why: str) -> Run:
        """Ask for a run, whatever else there is."""
        while True:
            last = await self.latest()
            run = await self.ask("by hand", why, by, {}, last[0].id if last else 0)
            if run is not None:
                return run

    async def latest(self, limit: int = 1, states: Sequence[State] = (), before: int | None = None) -> list[Run]:
        """The runs that were asked for last, the latest first; of those with a lower number than ``before``."""
        query: Document = {"state": {"$in": list(states)}} if states else {}
        if before is not None:
            query["_id"] = {"$lt": before}
        with self._store.named_errors():
            found = self._store.collection(RUNS).find(query, {"counted": 0}, sort=[("_id", DESCENDING)], limit=limit)
            return [Run.model_validate(one) async for one in found]

    async def last_cut(self) -> Run | None:
        """The last run that learned from what was said before its cut; of one that failed nothing was learned."""
        query = {"cut_at": {"$ne": None}, "state": {"$nin": ["failed", "cancelled"]}}
        with self._store.named_errors():
            found = await self._store.collection(RUNS).find_one(query, sort=[("_id", DESCENDING)])
        return None if found is None else Run.model_validate(found)

    async def best_golden(self, golden_sha256: str) -> float | None:
        """The best weighted F1 that a model in service had on golden rows; None where none was judged by them."""
        query = {"state": "promoted", "golden_sha256": golden_sha256}
        with self._store.named_errors():
            found = self._store.collection(RUNS).find(query, {"decision.golden.scores": 1})
            scores = [((one.get("decision") or {}).get("golden") or {}).get("scores") or {} async for one in found]
        return max((one[name] for one in scores for name in _GOLDEN if name in one), default=None)

    async def get(self, run_id: int) -> Run | None:
        """A run as it stands now."""
        with self._store.named_errors():
            found = await self._store.collection(RUNS).find_one({"_id": run_id})
        return None if found is None else Run.model_validate(found)

    async def begin(self, run: Run, epoch: int, fields: Document) -> bool:
        """Make a run one's own; False if somebody with a later lease has it."""
        mine = {"_id": run.id, "epoch": {"$lte": epoch}, "state": {"$in": list(OPEN)}}
        change = fields | {"epoch": epoch, "state": "running", "attempt": run.attempt + 1}
        return await self._update(mine, {"$set": change})

    async def write(self, run_id: int, epoch: int, fields: Document, said: str | None = None) -> bool:
        """Note how a run stands; False if it is another's by now, or has ended.

        Args:
            run_id: Which.
            epoch: Of the lease it is written under.
            fields: What changes.
            said: A line for its log.
        """
        change: Document = {"$set": fields} if fields else {}
        if said is not None:
            line = {"at": utc_now(), "said": said}
            change["$push"] = {"log": {"$each": [line], "$slice": -_LOG_LINES}}
        return await self._update({"_id": run_id, "epoch": epoch, "state": "running"}, change)

    async def drop(self, run_id: int, outcome: str) -> bool:
        """End a run that nobody could begin."""
        change = {"state": "failed", "outcome": outcome, "ended_at": utc_now()}
        return await self._update({"_id": run_id, "state": "requested"}, {"$set": change})

    async def cancel(self, run_id: int) -> bool:
        """Ask for the end of a run; False if it has ended."""
        return await self._update({"_id": run_id, "state": {"$in": list(OPEN)}}, {"$set": {"cancel": True}})

    async def _update(self, query: Document, change: Document) -> bool:
        with self._store.named_errors():
            done = await self._store.collection(RUNS).update_one(query, change)
        return bool(done.matched_count)
