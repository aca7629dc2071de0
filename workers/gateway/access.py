"""Who may do what: the one table of permissions, and how a route asks for one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Final, Protocol

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from schemas.http.account import Role
from workers.gateway.errors import Forbidden, NotReady, SessionNeeded, Unauthenticated


class Right(StrEnum):
    """What a route asks of its caller; each route asks for exactly one."""

    PUBLIC = "public"
    """Nothing: anyone, also without an account."""
    ACCOUNT = "account"
    """One's own account: password, sessions, API keys."""
    PREDICT = "predict"
    """Have products classified, and see what became of those that one submitted."""
    REVIEW = "review"
    """See all items, and say what they are."""
    WATCH = "watch"
    """See figures, models, runs, drift reports and the live feed."""
    OPERATE = "operate"
    """Promote and roll back models, start and cancel trainings, try dead letters again."""
    ADMINISTER = "administer"
    """Accounts, the audit log, deletion of items."""


_EVERYONE: Final = frozenset(Role)
_STAFF: Final = frozenset({Role.REVIEWER, Role.ADMIN})
_ADMIN: Final = frozenset({Role.ADMIN})

PERMISSIONS: Final[Mapping[Right, frozenset[Role]]] = {
    Right.ACCOUNT: _EVERYONE,
    Right.PREDICT: _EVERYONE,
    Right.REVIEW: _STAFF,
    Right.WATCH: _STAFF,
    Right.OPERATE: _ADMIN,
    Right.ADMINISTER: _ADMIN,
}
"""Which roles have a right. `Right.PUBLIC` asks for no account at all."""


KNOWN_WITHIN_S: Final[Mapping[Right, float]] = {
    Right.OPERATE: 60.0,
    Right.ADMINISTER: 60.0,
    Right.REVIEW: 3_600.0,
    Right.WATCH: 3_600.0,
}
"""While the store is away or slow, a right is had no longer than this after the store last said so. The other rights
stay, so that machines go on being answered."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks.

    Args:
        name: The account's name, as it stands in `submitted_by`, in verdicts and in the audit log.
        role: Its role now.
        session: The session that the call belongs to; None for an API key.
        key: The API key's id; None for a session.
        age_s: How long ago the store said so; since then the role may have been taken back.
    """

    name: str
    role: Role
    session: str | None = None
    key: str | None = None
    age_s: float = field(default=0.0, compare=False)

    def check_signed_in(self) -> None:
        """Return if it is signed in: whoever finds an API key makes no way in of it that outlasts the key.

        Raises:
            SessionNeeded: It is an API key.
        """
        if self.session is None:
            raise SessionNeeded("This cannot be done with an API key.", hint="Sign in.")

    def may(self, right: Right) -> bool:
        """Whether the table lets it."""
        return right is Right.PUBLIC or self.role in PERMISSIONS[right]

    def is_known_for(self, right: Right) -> bool:
        """Whether the store said so lately enough for this right."""
        return self.age_s <= KNOWN_WITHIN_S.get(right, float("inf"))


class Gatekeeper(Protocol):
    """Knows callers by what they carry."""

    async def bearer(self, token: str) -> Principal | None:
        """Who an access token or API key belongs to; None when it is not good.

        Raises:
            StoreUnavailable: It can only be told by the store, which is away.
        """

    async def session(self, secret: str) -> Principal | None:
        """Who the session of a cookie belongs to; None when it is over.

        Raises:
            StoreUnavailable: Likewise.
        """


_Sent = HTTPAuthorizationCredentials | None
_BEARER: Final = HTTPBearer(auto_error=False, description="An access token, or an API key.")


async def known(request: Request) -> Principal:
    """Who asks; found out once for a request.

    Raises:
        Unauthenticated: It is not known who that is.
        StoreUnavailable: It can only be told by the store, which is away.
    """
    who: Principal | None = getattr(request.state, "principal", None)
    if who is None:
        sent = await _BEARER(request)
        if sent is None or not sent.credentials:
            raise Unauthenticated(
                "This needs an account.", hint="Send `Authorization: Bearer` with a token or API key."
            )
        keeper: Gatekeeper = request.app.state.gatekeeper
        who = request.state.principal = await keeper.bearer(sent.credentials)
    if who is None:
        raise Unauthenticated("The token is not good, or not any more.", hint="Sign in again.")
    return who


@dataclass(frozen=True, slots=True)
class Requires:
    """Asks for a right by the header ``Authorization: Bearer``, with an access token or an API key.

    Cookies count for nothing here, so that no page of another site can make a browser call the API in its user's name.
    """

    right: Right

    async def __call__(self, request: Request, _: Annotated[_Sent, Security(_BEARER)] = None) -> Principal:
        """The caller.

        Raises:
            Unauthenticated: It is not known who that is.
            Forbidden: The caller has not got the right.
            NotReady: It cannot be known whether the caller still has.
        """
        who = await known(request)
        if not who.may(self.right):
            raise Forbidden(f"The role {who.role} may not do this.")
        if not who.is_known_for(self.right):
            raise NotReady(
                "The store is away, and nobody can say whether you may still do this.", hint="Try again in a moment."
            )
        return who


@dataclass(frozen=True, slots=True)
class Open:
    """Says of a route that it asks for nothing."""

    right: Right = Right.PUBLIC

    async def __call__(self) -> None:
        """Let anyone pass."""


Anyone = Depends(Open())
Account = Annotated[Principal, Depends(Requires(Right.ACCOUNT))]
Customer = Annotated[Principal, Depends(Requires(Right.PREDICT))]
Reviewer = Annotated[Principal, Depends(Requires(Right.REVIEW))]
Watcher = Annotated[Principal, Depends(Requires(Right.WATCH))]
Operator = Annotated[Principal, Depends(Requires(Right.OPERATE))]
Admin = Annotated[Principal, Depends(Requires(Right.ADMINISTER))]
