"""Taking verdicts: checked, noted in the audit log, published to the topic, in this order."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from infra.errors import BrokerUnavailable, DeliveryFailed
from infra.store import ITEMS, Document, Store
from model.errors import CodeUnknown
from model.shelves import TaxonomyInForce
from schemas.errors import AisleError
from schemas.feedback import Verdict
from schemas.http.item import ItemVerdict
from schemas.http.verdict import RowProblem, VerdictAnswer, VerdictRequest
from workers.gateway.audit import Audit, Deed
from workers.gateway.errors import AlreadyJudged, NotFound, RequestRefused, Unprocessable
from workers.gateway.items.view import WITHDRAWN
from workers.gateway.review.claims import Claims
from workers.gateway.review.history import FAILED, History, histories
from workers.gateway.review.plan import Asked, Planned, plan
from workers.gateway.review.publish import Publisher

_FIELDS: Final = ("product_id", "prediction.category", "prediction.needs_review", "verdict")


class Verdicts:
    """Takes verdicts.

    Args:
        store: Where items are.
        claims: Who has which item.
        shelves: The taxonomy that codes are held to.
        publisher: Sends to the topic ``feedback``.
    """

    def __init__(self, store: Store, claims: Claims, shelves: TaxonomyInForce, publisher: Publisher) -> None:
        self._store = store
        self._claims = claims
        self._shelves = shelves
        self._publisher = publisher
        self._audit = Audit(store)

    async def give(self, rows: Sequence[VerdictRequest], asked: Asked) -> list[VerdictAnswer]:
        """Give verdicts, each on another item; returns what became of each.

        Raises:
            StoreUnavailable: Nothing can be noted, so nothing was sent.
            BrokerUnavailable: Nothing was sent.
            Busy: Somebody else is judging one of the items.
            DeliveryFailed: Some were maybe not sent; with the same key it can be done again.
            RequestRefused: None of them could be taken; it says why for the first. Where another's verdict was in the
                way, the answer tells of it instead.
        """
        if (away := self._publisher.away) is not None:
            raise BrokerUnavailable(f"No verdict can be taken now: {away}.")
        async with self._claims.turns.of([row.event_id for row in rows]):
            return await self._give(rows, asked)

    async def _give(self, rows: Sequence[VerdictRequest], asked: Asked) -> list[VerdictAnswer]:
        ids = [row.event_id for row in rows]
        items, known = await asyncio.gather(self._items(ids), histories(self._store, ids))
        outcomes = [self._outcome(row, asked, items.get(row.event_id), known[row.event_id]) for row in rows]
        planned = [one for one in outcomes if isinstance(one, Planned)]
        refused = [one for one in outcomes if isinstance(one, AisleError)]
        if not planned and not any(isinstance(one, AlreadyJudged) for one in refused):
            raise refused[0]
        deeds = [one.deed for one in planned if one.deed is not None]
        await self._audit.note_all(asked.who, deeds, request_id=asked.request_id)
        if planned:
            await self._publish(planned, asked)
            await self._settle(planned, asked.who.name)
        return [_answer(row, outcome) for row, outcome in zip(rows, outcomes, strict=True)]

    async def _items(self, event_ids: list[str]) -> dict[str, Document]:
        with self._store.named_errors():
            found = self._store.collection(ITEMS).find({"_id": {"$in": event_ids}}, dict.fromkeys(_FIELDS, True))
            return {item["_id"]: item async for item in found}

    def _outcome(
        self, row: VerdictRequest, asked: Asked, item: Document | None, history: History
    ) -> Planned | AisleError:
        try:
            if item is None:
                raise NotFound("No item has this id.")
            return plan(row, asked, item, history, self._shelves.now())
        except CodeUnknown as error:
            return Unprocessable(error.message, hint=error.hint)
        except RequestRefused as error:
            return error

    async def _publish(self, planned: Sequence[Planned], asked: Asked) -> None:
        try:
            failed = await self._publisher.send([one.feedback for one in planned])
        except BaseException as error:  # cancelled: the caller has gone
            failed = {str(one.feedback.feedback_id): type(error).__name__ for one in planned}
            await self._note_failed(planned, failed, asked)
            raise
        if failed:
            await self._note_failed(planned, failed, asked)
            raise DeliveryFailed(
                f"The broker did not take {len(failed)} of {len(planned)} verdicts: {next(iter(failed.values()))}.",
                hint="Try again with the same Idempotency-Key: what was taken changes nothing.",
            )

    async def _note_failed(self, planned: Sequence[Planned], failed: Mapping[str, str], asked: Asked) -> None:
        deeds = [
            Deed(FAILED, str(one.feedback.event_id), after={"feedback_id": key, "why": failed[key]})
            for one in planned
            if (key := str(one.feedback.feedback_id)) in failed
        ]
        await self._audit.note_all(asked.who, deeds, request_id=asked.request_id)

    async def _settle(self, planned: Sequence[Planned], who: str) -> None:
        waiting = [one.feedback for one in planned if one.needs_review]
        judged = {str(one.event_id): str(one.feedback_id) for one in waiting if one.verdict != WITHDRAWN}
        await self._claims.settle(judged, (str(one.event_id) for one in waiting if one.verdict == WITHDRAWN), who)


def _answer(row: VerdictRequest, outcome: Planned | AisleError) -> VerdictAnswer:
    if isinstance(outcome, AisleError):
        stands = ItemVerdict.model_validate(outcome.stands) if isinstance(outcome, AlreadyJudged) else None
        problem = RowProblem(code=outcome.code, detail=outcome.message, hint=outcome.hint or None, stands=stands)
        return VerdictAnswer(event_id=row.event_id, problem=problem)
    given = outcome.feedback
    verdict: Verdict = given.verdict
    return VerdictAnswer(event_id=row.event_id, feedback_id=given.feedback_id, verdict=verdict, code=outcome.code)
