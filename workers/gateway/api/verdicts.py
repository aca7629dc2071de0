"""Saying what products are."""

from typing import Annotated

from fastapi import APIRouter, Header, Request

from schemas.http.verdict import VerdictsAnswer, VerdictsRequest
from schemas.limits import MAX_ID_CHARS
from workers.gateway.access import Reviewer
from workers.gateway.parts import PartsOf
from workers.gateway.problems import PROBLEMS
from workers.gateway.review.plan import Asked

router = APIRouter(prefix="/api/v1/verdicts", tags=["review"], responses=PROBLEMS)

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=MAX_ID_CHARS,
        pattern=r"^[\x21-\x7e]+$",
        description="Names these verdicts: sent again with the same key, they are given once.",
    ),
]


@router.post("", summary="Give verdicts")
async def give(
    request: Request, body: VerdictsRequest, who: Reviewer, parts: PartsOf, idempotency_key: IdempotencyKey = None
) -> VerdictsAnswer:
    """Say what items are, one or up to 500 at once; what became of each is in the answer.

    If none can be taken, the answer is the first one's problem. Each is in the audit log before it is sent.
    """
    asked = Asked(who, idempotency_key, request.state.request_id)
    return VerdictsAnswer(items=await parts.review.verdicts.give(body.verdicts, asked))
