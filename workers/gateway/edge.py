"""What holds for every request, whatever its route: an id, limits on its body, and headers that keep pages safe."""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Final
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.logging import get_logger
from infra.metrics.gateway import HTTP_REQUESTS
from schemas.limits import KIB, MIB
from workers.gateway.door import has_body
from workers.gateway.errors import BodyTooLarge, BodyTooSlow
from workers.gateway.problems import problem_of

REQUEST_ID: Final = "X-Request-ID"

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_LEAST_BYTES_PER_S: Final = 16 * KIB
_MOST_PARTS: Final = 200_000
"""Of a JSON body: parsed, each takes a hundred bytes or more, and `{},` has three. The largest product has 40,600."""
_PARTS: Final = (b",", b"{", b"[")
_FORMS: Final = ("multipart/form-data", "application/x-www-form-urlencoded")
_LINGER_S: Final = 2.0
_LINGER_BYTES: Final = 16 * MIB  # any photo
MAX_BODY_BYTES: Final = 1_024 * MIB
"""No setting allows more."""

_HSTS: Final = "max-age=31536000"

logger = get_logger(__name__)


class Edge:
    """The outermost layer of the application.

    Args:
        app: What answers.
        most_bytes: Longest body.
        wait_s: Longest wait for the next part of a body.
        https: Whether callers come by https, as far as the settings say.
    """

    def __init__(self, app: ASGIApp, *, most_bytes: int, wait_s: float, https: bool) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._wait_s = wait_s
        self._more = {"Strict-Transport-Security": _HSTS} if https else {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        body = Body(receive, scope, most_bytes=min(self._most_bytes, _most(scope)), wait_s=self._wait_s)
        refused = False

        def begin(start: Message) -> None:
            HTTP_REQUESTS.labels(method=scope["method"], status=str(start["status"])).inc()
            self._add_headers(MutableHeaders(scope=start), scope["path"], request_id)

        answer = _Answer(send, body, begin)

        async def answer_or_refuse(message: Message) -> None:
            nonlocal refused
            if body.failure is None:
                await answer(message)
            elif not refused:
                refused = True  # whatever the route made of it
                await problem_of(request_id, body.failure)(scope, receive, answer)

        try:
            await self._app(scope, body.receive, answer_or_refuse)
        except (BodyTooLarge, BodyTooSlow):
            await answer_or_refuse({})
        except Exception:
            if not answer.began:
                raise
            # It was logged and answered; raised further, it would end the connection under the caller's next request.

    def _add_headers(self, headers: MutableHeaders, path: str, request_id: str) -> None:
        headers[REQUEST_ID] = request_id
        for name, value in {**_HEADERS, **self._more}.items():
            headers.setdefault(name, value)
        if not path.startswith("/static/"):
            headers.setdefault("Cache-Control", "no-store")


class _Answer:
    """An answer on its way out; behind one that comes before the whole body, the connection ends.

    Args:
        send: Takes its messages.
        body: Of the request.
        begin: Given the first message.
    """

    def __init__(self, send: Send, body: "Body", begin: Callable[[Message], None]) -> None:
        self._send = send
        self._body = body
        self._begin = begin
        self._closes = False
        self.began = False

    async def __call__(self, message: Message) -> None:
        """Send a message of it."""
        if message["type"] == "http.response.start":
            self.began, self._closes = True, self._body.is_to_come
            self._begin(message)
            if self._closes:
                MutableHeaders(scope=message)["Connection"] = "close"
        elif self._closes and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._body.let_go()
            message = {"type": "http.response.body"}
        await self._send(message)


class Body:
    """A request's body as it comes in, with an end to how much and how slowly.

    Args:
        receive: Gives its parts.
        scope: Of the request.
        most_bytes: Longest body.
        wait_s: Longest wait for the next part.
    """

    def __init__(self, receive: Receive, scope: Scope, *, most_bytes: int, wait_s: float) -> None:
        self._receive = receive
        self._most_bytes = most_bytes
        self._wait_s = wait_s
        headers = Headers(scope=scope)  # of several with a name the first counts, as for those who parse the body
        length = headers.get("content-length", "")
        self._announced = int(length) if length.isdigit() else 0
        self._began = monotonic()
        self._is_form = headers.get("content-type", "").lower().startswith(_FORMS)  # FastAPI may read others as JSON
        self._read = self._parts = 0
        self._complete = not has_body(scope)
        self.failure: BodyTooLarge | BodyTooSlow | None = None
        """Why it was not read to its end."""

    @property
    def is_to_come(self) -> bool:
        """Whether some of it was not read; an answer that is given now ends the connection."""
        return not self._complete

    async def receive(self) -> Message:
        """The next part; behind the last one, that the caller has gone.

        Raises:
            BodyTooLarge: It is, or says that it will be.
            BodyTooSlow: The next part does not come.
        """
        try:
            async with asyncio.timeout(None if self._complete else self._left_s()):
                message = await self._receive()
        except TimeoutError as error:
            self.failure = BodyTooSlow(f"The body did not come in time: {self._read:,} bytes of it did.")
            raise self.failure from error
        data = message.get("body", b"")
        self._read += len(data)
        self._complete = not message.get("more_body", False)
        if max(self._read, self._announced) > self._most_bytes:
            self.failure = BodyTooLarge(f"The body is longer than {self._most_bytes:,} bytes.")
            raise self.failure
        self._parts += 0 if self._is_form else sum(data.count(sign) for sign in _PARTS)
        if self._parts > _MOST_PARTS:
            self.failure = BodyTooLarge(f"The body has more than {_MOST_PARTS:,} parts.")
            raise self.failure
        return message

    async def let_go(self) -> None:
        """Let some of the rest come, and drop it.

        Closed under a caller who still sends, TCP would take the answer back (RFC 9112, section 9.6).
        """
        last = self._read + _LINGER_BYTES
        with suppress(TimeoutError):
            async with asyncio.timeout(0 if isinstance(self.failure, BodyTooSlow) else _LINGER_S):
                while not self._complete and self._read < last:
                    message = await self._receive()
                    self._read += len(message.get("body", b""))
                    self._complete = not message.get("more_body", False)

    def _left_s(self) -> float:
        """How much longer the body may take; one that drips ends, however steadily."""
        return self._began + self._wait_s + self._read / _LEAST_BYTES_PER_S - monotonic()


def _most(scope: Scope) -> int:
    """The longest body of a path."""
    path: str = scope["path"]
    if path.startswith("/api/v1/predictions"):
        return MAX_BODY_BYTES
    return 64 * KIB if path.startswith(("/api/v1/auth", "/api/v1/me", "/api/v1/users")) else 2 * MIB


def _request_id(scope: Scope) -> str:
    """The caller's own, where it is harmless in a log and a header; else a new one."""
    given = dict(scope["headers"]).get(REQUEST_ID.lower().encode(), b"").decode("latin-1")
    return given if _ID.fullmatch(given) else str(uuid4())
