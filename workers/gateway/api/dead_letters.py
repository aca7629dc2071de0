"""Dead letters: what could not be processed, sent again or dropped."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from infra.dead_letters import STATES, UNSETTLED, DeadLetters, Letter
from schemas.dead_letter import Stage
from schemas.http.dead_letter import (
    LetterChoice,
    LetterCounts,
    LetterFilter,
    LetterRow,
    LettersDone,
    LetterState,
    LetterView,
)
from schemas.http.moment import Moment
from schemas.http.paging import Page
from schemas.http.text import Name
from schemas.ids import EventId
from workers.gateway.access import Operator, Watcher
from workers.gateway.api.closed import nothing_to_get
from workers.gateway.audit import Audit
from workers.gateway.operation import dead_letters, letters_acted
from workers.gateway.paging import Cursor, Limit
from workers.gateway.parts import Parts, PartsOf
from workers.gateway.problems import PROBLEMS

router = APIRouter(prefix="/api/v1/dead-letters", tags=["dead letters"], responses=PROBLEMS)
nothing_to_get(router, "/retry", "/drop")

States = Annotated[
    list[LetterState] | None,
    Query(alias="state", max_length=4, description="Those in one of these states; default: open and retried."),
]


@router.get("", summary="Dead letters")
async def list_letters(
    _: Watcher,
    parts: PartsOf,
    stage: Stage | None = None,
    error_class: Annotated[Name | None, Query(description="As record-invalid.")] = None,
    product_id: Annotated[Name | None, Query()] = None,
    since: Annotated[Moment | None, Query(description="Included.")] = None,
    until: Annotated[Moment | None, Query(description="Not included.")] = None,
    state: States = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[LetterRow]:
    """What could not be processed, the newest first."""
    chosen = LetterFilter(stage=stage, error_class=error_class, product_id=product_id, since=since, until=until)
    states = UNSETTLED if not state else tuple(one for one in STATES if one in state)
    return await dead_letters.listed(parts.store, letters_acted.choice_of(chosen), states, limit, cursor)


@router.get("/counts", summary="Dead letters, counted")
async def counts(_: Watcher, parts: PartsOf) -> LetterCounts:
    """The newest two thousand by state, stage and class; at most some seconds old."""
    return await parts.operation.letter_counts.get()


@router.get("/{event_id}", summary="One dead letter")
async def show(_: Watcher, parts: PartsOf, event_id: Annotated[EventId, Path()]) -> LetterView:
    """Its reason, what was done about it, its headers and its value, of which the first 64 KiB."""
    return await dead_letters.shown(parts.store, event_id)


@router.post("/retry", summary="Send dead letters again")
async def retry(request: Request, who: Operator, parts: PartsOf, body: LetterChoice) -> LettersDone:
    """Send events back to the topic they came from, as they came, under the same event id."""
    return await _acted(request, who, parts, body, "dead_letter.retry", letters_acted.retry)


@router.post("/drop", summary="Drop dead letters")
async def drop(request: Request, who: Operator, parts: PartsOf, body: LetterChoice) -> LettersDone:
    """Settle dead letters. Nothing is deleted, and one that is named may still be sent again."""
    return await _acted(request, who, parts, body, "dead_letter.drop", letters_acted.drop)


_Act = Callable[..., Awaitable[LettersDone]]


async def _acted(
    request: Request, who: Operator, parts: Parts, body: LetterChoice, action: str, act: _Act
) -> LettersDone:
    found, more = await letters_acted.chosen(DeadLetters(parts.store), body)
    if found:
        await _note(request, who, parts, body, action, found)
        done = await act(parts, found, by=who.name, why=body.why)
    else:
        done = LettersDone(done=0, refused=[], more=False)
    parts.operation.letter_counts.forget()
    return LettersDone(done=done.done, refused=[*letters_acted.unknown(body, found), *done.refused], more=more)


async def _note(
    request: Request, who: Operator, parts: Parts, body: LetterChoice, action: str, found: list[Letter]
) -> None:
    subject = found[0].event_id if len(found) == 1 else f"{len(found)} letters"
    before = [{"event_id": letter.event_id, "state": letter.state} for letter in found]
    chosen = body.model_dump(mode="json", exclude={"event_ids"}, exclude_none=True)
    await Audit(parts.store).note(
        who, action, subject, before=before, after=chosen, request_id=request.state.request_id
    )
