"""The live feed, as server-sent events."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from time import monotonic
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from infra.errors import StoreUnavailable
from schemas.http.text import Name
from workers.gateway.access import Gatekeeper, Principal, Right, Watcher
from workers.gateway.operation.live import Live, Wanted
from workers.gateway.parts import PartsOf
from workers.gateway.problems import PROBLEMS

router = APIRouter(prefix="/api/v1/live", tags=["live"], responses=PROBLEMS)

HEARTBEAT_S: Final = 15.0

_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Events `prediction` with a LiveMessage each, a comment every 15 s, and `end` at the end.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


class EventStream(StreamingResponse):
    """Server-sent events, which no proxy is to hold back."""

    media_type = "text/event-stream"

    def __init__(self, content: AsyncIterator[str], **options: Any) -> None:
        super().__init__(content, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}, **options)


@router.get("", summary="Predictions as they come", response_class=EventStream, status_code=200, responses=_STREAM)
async def live(
    request: Request,
    who: Watcher,
    parts: PartsOf,
    needs_review: Annotated[bool | None, Query(description="Only those that need review, or do not.")] = None,
    category: Annotated[Name | None, Query(description="Only those of this code.")] = None,
) -> EventStream:
    """At most 20 predictions a second, with the number of those passed over.

    The token goes into the header as ever, so browsers read it with `fetch`. The stream ends with the token: take a
    new one, and connect again.
    """
    feed = parts.operation.live
    feed.check_room()
    token = request.headers["authorization"].partition(" ")[2].strip()
    return EventStream(stream(feed, Wanted(needs_review, category), _still(request, token, who)))


async def stream(
    feed: Live, wanted: Wanted, still: Callable[[], Awaitable[bool]], heartbeat_s: float = HEARTBEAT_S
) -> AsyncGenerator[str]:
    """The text of the stream.

    Args:
        feed: What is looked at.
        wanted: Which predictions.
        still: Whether the caller may still look on; asked at each heartbeat.
        heartbeat_s: Seconds between heartbeats.
    """
    async with feed.watching(wanted) as onlooker:
        yield "retry: 3000\n\n"
        due = monotonic() + heartbeat_s
        while True:
            try:
                async with asyncio.timeout(due - monotonic()):
                    text, passed_over = await onlooker.messages.get()
                yield f'event: prediction\ndata: {{"prediction":{text},"passed_over":{passed_over}}}\n\n'
            except TimeoutError:
                if not await still():
                    yield "event: end\ndata: {}\n\n"
                    return
                yield ": here\n\n"
                due = monotonic() + heartbeat_s


def _still(request: Request, token: str, who: Principal) -> Callable[[], Awaitable[bool]]:
    keeper: Gatekeeper = request.app.state.gatekeeper

    async def still() -> bool:
        try:
            now = await keeper.bearer(token)
        except StoreUnavailable:
            return True  # nobody can tell: what was good a moment ago is good for now
        return now is not None and now.name == who.name and now.may(Right.WATCH) and now.is_known_for(Right.WATCH)

    return still
