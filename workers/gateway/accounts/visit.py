"""A request of a browser that may bring a session's cookie, and what it gets back."""

from typing import Annotated

from fastapi import Depends, Request, Response

from schemas.http.account import SignedIn
from workers.gateway.access import Principal
from workers.gateway.accounts.cookies import COOKIE, DEVICE, clear_cookie, set_cookie, set_device
from workers.gateway.accounts.devices import Caller
from workers.gateway.accounts.entrance import Entered
from workers.gateway.accounts.gatekeeper import Accounts, AccountsOf
from workers.gateway.parts import Parts, PartsOf


class Visit:
    """One such request.

    Args:
        request: The request.
        response: Takes the cookie.
        accounts: Know the session.
        parts: Have the settings.
    """

    def __init__(self, request: Request, response: Response, accounts: AccountsOf, parts: PartsOf) -> None:
        self._request = request
        self._response = response
        self._accounts: Accounts = accounts
        self._parts: Parts = parts

    @property
    def request_id(self) -> str:
        """Of the request."""
        return str(self._request.state.request_id)

    @property
    def caller(self) -> Caller:
        """Who wants in."""
        agent, device = self._request.headers.get("user-agent", ""), self._request.cookies.get(DEVICE)
        return Caller(self._address, device, agent, self.request_id)

    @property
    def _address(self) -> str:
        return self._request.client.host if self._request.client is not None else ""

    def count(self) -> None:
        """Count a try to get in.

        Raises:
            TooMany: The address has had too many.
        """
        self._accounts.addresses.count(self._address)

    async def who(self) -> Principal | None:
        """Whose session the cookie is."""
        secret = self._request.cookies.get(COOKIE)
        return None if secret is None else await self._accounts.session(secret)

    async def enter(self, entered: Entered) -> SignedIn:
        """Hand out a new session, and end the one that the browser had."""
        before = await self.who()
        if before is not None and before.session is not None:
            await self._accounts.sessions.end(before.session)
        self._accounts.changed()
        set_cookie(self._response, self._request, self._parts.settings, entered.cookie)
        set_device(self._response, self._request, self._parts.settings, entered.device)
        return self._accounts.token_of(entered.who)

    def go_on(self, who: Principal) -> SignedIn:
        """Another access token for the session; the cookie lasts longer."""
        set_cookie(self._response, self._request, self._parts.settings, self._request.cookies[COOKIE])
        return self._accounts.token_of(who)

    async def end(self, who: Principal | None) -> None:
        """End somebody's session, if there is one."""
        if who is not None and who.session is not None:
            await self._accounts.sessions.end(who.session)
            self._accounts.changed()

    def leave(self, answer: Response) -> None:
        """Take the cookie back."""
        clear_cookie(answer, self._request, self._parts.settings)


VisitOf = Annotated[Visit, Depends(Visit)]
"""Gives a route the visit."""
