"""What people said of answers, day by day, and when models came into service."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from pymongo import DESCENDING

from infra.runs import Run
from infra.store import ITEMS, Document, Store
from schemas.http.figures import JudgedDay, Looked, ModelChange, Verdicts
from schemas.ids import is_canary
from schemas.model_event import ModelEvent
from schemas.prediction import REVIEWER

_SPAN: Final = timedelta(days=30)
_MOST: Final = 5_000
_FIELDS: Final = dict.fromkeys(
    (
        *("product_id", "verdict.at", "verdict.verdict", "verdict.code"),
        *("prediction.category.code", "prediction.decided_by"),
    ),
    True,
)


async def judged(store: Store, now: datetime, changes: list[ModelChange]) -> Verdicts:
    """The verdicts of the last 30 days, the newest five thousand at most; the last word on each item.

    Raises:
        StoreUnavailable: The store is away.
    """
    since = now - _SPAN
    with store.named_errors():
        cursor = store.collection(ITEMS).find({"verdict.at": {"$gte": since}}, _FIELDS)
        found: list[Document] = await cursor.sort("verdict.at", DESCENDING).limit(_MOST).to_list(_MOST)
    complete = len(found) < _MOST
    by_day: dict[datetime, Counter[str]] = {}
    for item in found:
        outcome = outcome_of(item)
        if outcome is not None:
            by_day.setdefault(_day(item["verdict"]["at"]), Counter()).update(outcome)
    total = sum(by_day.values(), Counter[str]())
    return Verdicts(
        days=[_judged_day(day, by_day[day]) for day in sorted(by_day)],
        accuracy=_share(total["right"], total["right"] + total["wrong"]),
        correction_rate=_share(total["corrected"] + total["rejected"], _all(total)),
        model_changes=[one for one in changes if one.at >= since],
        looked_at=Looked(
            since=since if complete else found[-1]["verdict"]["at"], until=now, of=len(found), complete=complete
        ),
    )


def outcome_of(item: Document) -> list[str] | None:
    """What a verdict says, and whether the model was right; None for one that was taken back, or is of no answer."""
    prediction, verdict = item.get("prediction"), item["verdict"]
    if prediction is None or prediction["decided_by"] == REVIEWER or is_canary(item.get("product_id")):
        return None
    said = prediction["category"]["code"]
    truth = {"validated": said, "corrected": verdict.get("code")}.get(verdict["verdict"])
    if truth is None:
        return ["rejected"] if verdict["verdict"] == "rejected" else None
    return [verdict["verdict"], "right" if said == truth else "wrong"]


def changes_of(made: Mapping[str, ModelEvent], runs: Iterable[Run]) -> list[ModelChange]:
    """When models came into service, by what the topic still has and by the runs that promoted one."""
    found = {
        event.model.version: ModelChange(at=event.at, version=version, by=event.by) for version, event in made.items()
    }
    for run in runs:
        if run.version is not None and run.ended_at is not None:
            found.setdefault(run.version, ModelChange(at=run.ended_at, version=run.version, by=run.by))
    return sorted(found.values(), key=lambda change: change.at)


def _judged_day(day: datetime, count: Counter[str]) -> JudgedDay:
    return JudgedDay(
        day=day,
        validated=count["validated"],
        corrected=count["corrected"],
        rejected=count["rejected"],
        accuracy=_share(count["right"], count["right"] + count["wrong"]),
        correction_rate=_share(count["corrected"] + count["rejected"], _all(count)),
    )


def _day(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _all(count: Counter[str]) -> int:
    return count["validated"] + count["corrected"] + count["rejected"]


def _share(some: int, of: int) -> float | None:
    return some / of if of else None
