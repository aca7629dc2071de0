"""What-if replays out of the store, beside what was answered."""

from dataclasses import dataclass
from typing import Final

from infra.errors import ReplayEmpty
from infra.scan import scan
from infra.store import ITEMS, REPLAYS, Document, Store
from model.what_if import Compared
from schemas.prediction import REVIEWER

_ITEM: Final = (
    *("product_id", "prediction.category", "prediction.confidence", "prediction.decided_by"),
    *("prediction.model.version", "verdict.verdict", "verdict.code"),
)


@dataclass(slots=True)
class Comparison:
    """Two answers to the products of a replay.

    Args:
        first: The versions that answered first.
        second: The other version.
        compared: The products that both answered.
        labels: Of the categories, by code.
        unanswered: Products of the replay that nothing else has answered.
        by_people: Those whose category a person had decided before; no model changes it.
    """

    first: list[str]
    second: str
    compared: list[Compared]
    labels: dict[str, str]
    unanswered: int = 0
    by_people: int = 0


async def compare_with_answers(store: Store, replay_id: str) -> Comparison:
    """A replay beside what the products were answered in earnest.

    Raises:
        ReplayEmpty: The store has nothing of it.
        StoreUnavailable: The store is away.
    """
    answers, second = await _answers(store, replay_id)
    found = Comparison([], second, [], {code: label for one in answers.values() for code, label in [_shelf(one)]})
    versions, seen = set(), set()
    # One scan: looked up one by one, or by lists of ids, the embedded store would scan for each.
    async for item in scan(store, ITEMS, {"prediction.category.code": {"$exists": True}}, _ITEM):
        answer = answers.get(item["_id"])
        if answer is None:
            continue
        seen.add(item["_id"])
        prediction = item["prediction"]
        if prediction["decided_by"] == REVIEWER:
            found.by_people += 1
            continue
        versions.add(prediction["model"]["version"])
        found.labels.setdefault(prediction["category"]["code"], prediction["category"]["label"])
        found.compared.append(_compared(answer, prediction["category"]["code"], prediction["confidence"], item))
    found.first, found.unanswered = sorted(versions), len(answers.keys() - seen)
    return found


async def compare_replays(store: Store, first_id: str, second_id: str) -> Comparison:
    """A replay beside another one, on the products that both have.

    Raises:
        ReplayEmpty: The store has nothing of one.
        StoreUnavailable: The store is away.
    """
    before, first = await _answers(store, first_id)
    after, second = await _answers(store, second_id)
    shelves = [_shelf(one) for one in (*before.values(), *after.values())]
    found = Comparison([first], second, [], dict(shelves), unanswered=len(after.keys() - before.keys()))
    both = before.keys() & after.keys()
    judged = {"verdict.verdict": {"$in": ["validated", "corrected"]}}
    verdicts = {item["_id"]: item async for item in scan(store, ITEMS, judged, _ITEM) if item["_id"] in both}
    for event_id in sorted(both):
        score = before[event_id]["score"]
        item = verdicts.get(event_id, {})
        found.compared.append(_compared(after[event_id], score["category"]["code"], score["confidence"], item))
    return found


async def _answers(store: Store, replay_id: str) -> tuple[dict[str, Document], str]:
    fields = ("event_id", "product_id", "title", "model.version", "score.category", "score.confidence")
    found = {one["event_id"]: one async for one in scan(store, REPLAYS, {"replay": replay_id}, fields)}
    if not found:
        raise ReplayEmpty(
            f"The store has no answers of the replay {replay_id}.", hint="Only a replay with --model keeps answers."
        )
    return found, str(next(iter(found.values()))["model"]["version"])


def _compared(answer: Document, before: str, sure: float, item: Document) -> Compared:
    verdict, prediction = item.get("verdict", {}), item.get("prediction", {})
    own = prediction.get("category", {}).get("code")
    return Compared(
        event_id=answer["event_id"],
        product_id=answer["product_id"],
        title=answer.get("title"),
        before=before,
        after=answer["score"]["category"]["code"],
        sure=sure,
        after_sure=answer["score"]["confidence"],
        truth={"validated": own, "corrected": verdict.get("code")}.get(verdict.get("verdict", "")),
    )


def _shelf(answer: Document) -> tuple[str, str]:
    category = answer["score"]["category"]
    return category["code"], category["label"]
