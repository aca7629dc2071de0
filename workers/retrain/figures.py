"""The figures that triggers look at, counted from the store: no counter is kept that could drift."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import DESCENDING

from infra.store import FEEDBACK, ITEMS, MONITOR, Document, Store
from schemas.ids import is_canary
from schemas.prediction import REVIEWER
from workers.retrain.triggers import Figures

OVERLAP: Final = timedelta(minutes=2)
"""A verdict may show in the store this much later than it was stamped, by clocks that differ and writes that wait."""

_MOST_COUNTED: Final = 50_000  # ids in a cut; beyond that a few that show late no longer matter
_IDS: Final = 1_000  # of one question to the store
_FIELDS: Final = dict.fromkeys(("event_id", "content", "verdict", "code", "at", "known_at"), True)
_ANSWER: Final = ("category.code", "model.version", "modalities", "decided_by")


@dataclass(frozen=True, slots=True)
class Cut:
    """Up to where verdicts were counted.

    Args:
        at: When; None: nothing was counted yet.
        counted: Ids of verdicts that became known within `OVERLAP` before it, and were counted; None: too many to
            keep, so that counts begin with the cut.
    """

    at: datetime | None = None
    counted: frozenset[str] | None = frozenset()

    @property
    def begins(self) -> datetime | None:
        """From when on verdicts are looked at."""
        return self.at if self.at is None or self.counted is None else self.at - OVERLAP


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said of an item, as far as figures need it."""

    code: str | None
    version: str | None
    from_text: bool
    by_person: bool
    of_canary: bool = False


async def count(store: Store, champion: str | None, classes: Sequence[str], cut: Cut, judged: int) -> Figures:
    """Count.

    Args:
        store: Where verdicts and items are.
        champion: The version in service.
        classes: The categories that it knows.
        cut: Up to where verdicts were counted for the last training.
        judged: How many of the answers that were judged last are looked at.

    Raises:
        StoreUnavailable: The store is away.
    """
    since = await _since(store, cut)
    answers = await _answers(store, sorted({one["event_id"] for one in since}))
    canaries = {event_id for event_id, answer in answers.items() if answer.of_canary}
    fresh = [one for one in since if one["event_id"] not in canaries]
    rows = [one for one in _standing(fresh) if one["verdict"] in ("corrected", "validated")]
    own = [one for one in _latest(fresh) if _judges(one, answers, champion)][:judged]
    return Figures(
        corrections=sum(_is_correction(one, answers) for one in rows),
        new_rows=len(rows),
        missing_classes=None if champion is None else len(set(classes) - {_code(one, answers) for one in rows}),
        drift_share=await _drift(store, champion, cut),
        **_scores(own, answers),
    )


async def cut_now(store: Store, now: datetime) -> Cut:
    """The cut that a training makes which begins now."""
    some = await _find(store, {"known_at": {"$gte": now - OVERLAP}})
    return Cut(now, frozenset(one["_id"] for one in some) if len(some) <= _MOST_COUNTED else None)


async def _since(store: Store, cut: Cut) -> list[Document]:
    """What was said since the cut, of items that are known."""
    found = await _find(store, {"known_at": {"$gte": cut.begins} if cut.begins else {"$ne": None}})
    return [one for one in found if one["_id"] not in (cut.counted or ())]


async def _find(store: Store, query: Document) -> list[Document]:
    with store.named_errors():
        return [one async for one in store.collection(FEEDBACK).find(query, _FIELDS)]


async def _answers(store: Store, ids: Sequence[str]) -> dict[str, Answer]:
    found: dict[str, Answer] = {}
    fields = dict.fromkeys(("product_id", *(f"prediction.{name}" for name in _ANSWER)), True)
    for start in range(0, len(ids), _IDS):
        with store.named_errors():
            cursor = store.collection(ITEMS).find({"_id": {"$in": ids[start : start + _IDS]}}, fields)
            found |= {item["_id"]: _answer(item) async for item in cursor}
    return found


def _answer(item: Mapping[str, Any]) -> Answer:
    prediction = item.get("prediction", {})
    used = prediction.get("modalities", ())
    return Answer(
        prediction.get("category", {}).get("code"),
        prediction.get("model", {}).get("version"),
        from_text="title" in used or "description" in used,
        by_person=prediction.get("decided_by") == REVIEWER,
        of_canary=is_canary(item.get("product_id")),
    )


def _standing(documents: Iterable[Document]) -> list[Document]:
    """The last word on each content."""
    return list({one["content"]: one for one in sorted(documents, key=_time)}.values())


def _latest(documents: Iterable[Document]) -> list[Document]:
    """The last word on each event, the latest first."""
    last = {one["event_id"]: one for one in sorted(documents, key=_time)}
    return sorted(last.values(), key=_time, reverse=True)


def _time(document: Document) -> tuple[datetime, str]:
    return document["at"], document["_id"]


def _code(document: Document, answers: Mapping[str, Answer]) -> str | None:
    """The category that a verdict comes to."""
    if document["verdict"] == "corrected":
        return str(document["code"])
    answer = answers.get(document["event_id"])
    return answer.code if answer and document["verdict"] == "validated" else None


def _is_correction(document: Document, answers: Mapping[str, Answer]) -> bool:
    answer = answers.get(document["event_id"])
    return document["verdict"] == "corrected" and (answer is None or answer.code != document["code"])


def _judges(document: Document, answers: Mapping[str, Answer], champion: str | None) -> bool:
    """Whether it judges an answer of the champion's own."""
    answer = answers.get(document["event_id"])
    own = answer is not None and answer.version == champion and not answer.by_person
    return own and document["verdict"] in ("corrected", "validated")


def _scores(judged: Sequence[Document], answers: Mapping[str, Answer]) -> dict[str, Any]:
    pairs = [(answers[one["event_id"]], _code(one, answers)) for one in judged]
    right = sum(answer.code == truth for answer, truth in pairs)
    found: dict[str, Any] = {"judged": len(pairs), "accuracy": right / len(pairs) if pairs else None}
    for name, from_text in (("text", True), ("image", False)):
        some = [(answer.code, truth) for answer, truth in pairs if answer.from_text is from_text]
        found |= {f"judged_{name}": len(some), f"f1_{name}": _weighted_f1(some)}
    return found


def _weighted_f1(pairs: Sequence[tuple[str | None, str | None]]) -> float | None:
    if not pairs:
        return None
    from sklearn.metrics import f1_score

    said, truth = ([str(one[side]) for one in pairs] for side in (0, 1))
    return float(f1_score(truth, said, average="weighted", zero_division=0.0))


async def _drift(store: Store, champion: str | None, cut: Cut) -> float | None:
    """What the monitor found of the champion since the cut."""
    query: Document = {"kind": "drift", "model_version": champion}
    if cut.at is not None:
        query["at"] = {"$gt": cut.at}
    with store.named_errors():
        found = await store.collection(MONITOR).find_one(query, {"share": True}, sort=[("at", DESCENDING)])
    return None if found is None else float(found["share"])
