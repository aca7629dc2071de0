"""Who sends a body is known before it is read: FastAPI reads and parses it before any dependency is asked."""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.errors import AisleError
from workers.gateway.access import known
from workers.gateway.problems import problem_of
from workers.gateway.quota import Quota

_ANYONES: Final = "/api/v1/auth/"
_COUNTED: Final = "/api/v1/predictions"


def has_body(scope: Scope) -> bool:
    """Whether a request brings a body (RFC 9112, section 6.3)."""
    headers = Headers(scope=scope)
    return "transfer-encoding" in headers or headers.get("content-length", "0").strip("0") != ""


class Door:
    """Lets nobody in with a body who is not known; only those of `/api/v1/auth/`, which are short, are anyone's.

    What the caller may do is the route's to ask (see `access.Requires`), which finds here who it is.

    Args:
        app: What answers.
        quota: Of products to classify.
    """

    def __init__(self, app: ASGIApp, quota: Quota) -> None:
        self._app = app
        self._quota = quota

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or not has_body(scope) or scope["path"].startswith(_ANYONES):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            who = await known(request)
            allowance = self._quota.take(who.name) if scope["path"].startswith(_COUNTED) else None
        except AisleError as error:
            await problem_of(request.state.request_id, error)(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if allowance is not None and message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(allowance.headers)
            await send(message)

        await self._app(scope, receive, answer)
