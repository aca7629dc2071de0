"""The review queue."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from infra.lease import utc_now
from schemas.http.moment import Moment
from schemas.http.review import (
    Claimed,
    ClaimRequest,
    NextRequest,
    Released,
    ReleaseRequest,
    ReviewItems,
    ReviewProgress,
)
from schemas.ids import EventId
from schemas.limits import MAX_ID_CHARS
from workers.gateway.access import Reviewer
from workers.gateway.parts import PartsOf
from workers.gateway.problems import PROBLEMS
from workers.gateway.review.progress import progress as progress_of
from workers.gateway.review.queue import QueueChoice
from workers.gateway.review.similar import similar_items

router = APIRouter(prefix="/api/v1", tags=["review"], responses=PROBLEMS)

Named = Annotated[str | None, Query(min_length=1, max_length=MAX_ID_CHARS)]


@router.post("/review/next", summary="Claim items to review")
async def next_items(body: NextRequest, who: Reviewer, parts: PartsOf) -> ReviewItems:
    """Items that wait, least sure first, and of each product only the newest; nobody else gets them for ten minutes.

    Asking for more keeps what the caller has already, for an hour at most. The claim of a judged item ends by itself.
    """
    review = parts.review
    if body.skip:
        await review.claims.pass_over(body.skip, who.name)
    choice = QueueChoice(body.category, body.theme, body.model_version)
    documents = await review.queue.next(who.name, body.count, choice)
    return ReviewItems(items=[parts.items.shown(one, who) for one in documents])


@router.post("/review/claim", summary="Claim items by their ids")
async def claim(body: ClaimRequest, who: Reviewer, parts: PartsOf) -> Claimed:
    """Claim those of these items that still wait and that nobody else has: to judge several at once, say."""
    mine = await parts.review.queue.claim(who.name, body.event_ids)
    return Claimed(event_ids=mine, skipped=len(set(body.event_ids)) - len(mine))


@router.post("/review/release", summary="Give claimed items back")
async def release(body: ReleaseRequest, who: Reviewer, parts: PartsOf) -> Released:
    """Let others have items that the caller has claimed and not judged."""
    return Released(released=await parts.review.claims.release(who.name, body.event_ids))


@router.get("/review/progress", summary="How far the day's review is")
async def progress(
    who: Reviewer,
    parts: PartsOf,
    since: Annotated[
        Moment | None, Query(alias="from", description="When the caller's day began; default: midnight in UTC.")
    ] = None,
    category: Named = None,
    theme: Named = None,
    model_version: Named = None,
) -> ReviewProgress:
    """What was judged today, and how many items wait. Verdicts count once they are archived, within a second or so."""
    began = since or utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
    return await progress_of(parts.store, who.name, began, QueueChoice(category, theme, model_version))


@router.get("/items/{event_id}/similar", summary="Waiting items like this one")
async def similar(
    event_id: Annotated[EventId, Path(description="The event's id.")],
    who: Reviewer,
    parts: PartsOf,
    limit: Annotated[int, Query(ge=1, le=200, description="Most items.")] = 50,
) -> ReviewItems:
    """Items of the same predicted category that wait too, with a title of mostly the same words or the same content."""
    document = await parts.items.document(event_id, who)
    found = await similar_items(parts.store, parts.review.claims, document, who.name, limit)
    return ReviewItems(items=[parts.items.shown(one, who) for one in found])
