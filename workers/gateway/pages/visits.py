"""Who sees a page: by the cookie of the session, and what is answered instead where that is not enough."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.status import HTTP_303_SEE_OTHER

from infra.errors import StoreRefused, StoreUnavailable
from infra.logging import get_logger
from schemas.errors import AisleError
from workers.gateway.access import Gatekeeper, Principal, Right
from workers.gateway.errors import Forbidden, NotFound, Unauthenticated
from workers.gateway.pages.views import failure

COOKIE: Final = "aisle_session"

logger = get_logger(__name__)


class SignInNeeded(Unauthenticated):
    """The page is for people who have signed in."""

    code = "sign-in-needed"


@dataclass(frozen=True, slots=True)
class Visit:
    """Asks for a right by the session's cookie. It is for pages, which change nothing and can be framed by nobody."""

    right: Right

    async def __call__(self, request: Request) -> Principal | None:
        """The visitor; None where anyone may come and nobody is signed in.

        Raises:
            SignInNeeded: It is not known who that is.
            Forbidden: The visitor has not got the right.
            StoreUnavailable: It cannot be told now.
        """
        who = await self._known(request)
        request.state.principal = who
        if self.right is Right.PUBLIC:
            return who
        if who is None:
            raise SignInNeeded("This page needs an account.")
        if not who.may(self.right):
            raise Forbidden(f"The role {who.role} may not see this page.")
        return who

    async def _known(self, request: Request) -> Principal | None:
        secret = request.cookies.get(COOKIE)
        keeper: Gatekeeper = request.app.state.gatekeeper
        try:
            return await keeper.session(secret) if secret else None
        except (StoreUnavailable, StoreRefused):
            if self.right is Right.PUBLIC:
                return None
            raise


Passer = Annotated[Principal | None, Depends(Visit(Right.PUBLIC))]
Holder = Annotated[Principal, Depends(Visit(Right.ACCOUNT))]
Customer = Annotated[Principal, Depends(Visit(Right.PREDICT))]
Reviewer = Annotated[Principal, Depends(Visit(Right.REVIEW))]
Watcher = Annotated[Principal, Depends(Visit(Right.WATCH))]
Admin = Annotated[Principal, Depends(Visit(Right.ADMINISTER))]


class Page(APIRoute):
    """A route whose refusals are pages too, not problem details."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        answer = super().get_route_handler()

        async def page(request: Request) -> Response:
            try:
                return await answer(request)
            except SignInNeeded:
                return to_sign_in(request)
            except RequestValidationError:
                return failure(request, NotFound("There is no such page."))
            except AisleError as error:
                logger.info("page not shown", path=request.url.path, error=error.code, why=error.message)
                return failure(request, error)

        return page


def to_sign_in(request: Request) -> Response:
    """Send a visitor to the sign-in page, and back here behind it."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(here, safe='/')}", HTTP_303_SEE_OTHER)


def way_back(asked: str | None) -> str:
    """Where to go behind the sign-in page: a path of ours, whatever a link to that page says."""
    ours = asked is not None and asked.startswith("/") and not asked.startswith(("//", "/\\"))
    return asked if ours and asked is not None and asked.isprintable() and "\\" not in asked else "/"
