"""Coming in and going out. These routes alone know the session's cookie, and only for pages of ours."""

from fastapi import APIRouter, Response
from starlette.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT

from infra.errors import StoreRefused, StoreUnavailable
from schemas.http.account import Accept, SignedIn, SignIn, SignUp
from workers.gateway.access import Anyone
from workers.gateway.accounts.cookies import OwnPages
from workers.gateway.accounts.gatekeeper import AccountsOf
from workers.gateway.accounts.visit import VisitOf
from workers.gateway.audit import Audit
from workers.gateway.errors import Forbidden, SessionStays, Unauthenticated
from workers.gateway.parts import Parts, PartsOf
from workers.gateway.problems import PROBLEMS, problem_of

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], responses=PROBLEMS, dependencies=[OwnPages])


@router.post("/sign-in", dependencies=[Anyone], summary="Sign in with name and password")
async def sign_in(body: SignIn, accounts: AccountsOf, visit: VisitOf) -> SignedIn:
    """Begin a session: the answer has an access token, and a cookie by which there will be others.

    A session that the browser had before ends. After five wrong passwords from one place the account takes none from
    there for 30 s, and for longer after each further one.
    """
    visit.count()
    return await visit.enter(await accounts.entrance.sign_in(body.name, body.password, visit.caller))


@router.post("/refresh", dependencies=[Anyone], summary="Get another access token")
async def refresh(visit: VisitOf) -> SignedIn:
    """Another access token for the session of the cookie, which lasts longer by this."""
    who = await visit.who()
    if who is None:
        raise Unauthenticated("The session is over.", hint="Sign in again.")
    return visit.go_on(who)


@router.post("/sign-out", dependencies=[Anyone], status_code=HTTP_204_NO_CONTENT, summary="Sign out")
async def sign_out(visit: VisitOf, parts: PartsOf) -> Response:
    """End the session of the cookie, and with it all its access tokens.

    The browser forgets the cookie also where the store is away; the answer 503 says then that the session is not ended.
    """
    try:
        who = await visit.who()
        if who is not None:
            await Audit(parts.store).note(who, "session.end", who.name, request_id=visit.request_id)
        await visit.end(who)
    except (StoreUnavailable, StoreRefused):
        answer: Response = problem_of(visit.request_id, _stays(parts))
    else:
        answer = Response(status_code=HTTP_204_NO_CONTENT)
    visit.leave(answer)
    return answer


def _stays(parts: Parts) -> SessionStays:
    return SessionStays(
        "This browser is signed out. The session itself could not be ended, as the store is away: it ends once it was "
        f"not used for {parts.settings.gateway_session_days:g} days.",
        hint="To end it before, sign in again when the store is back, and sign out everywhere else.",
    )


@router.post("/sign-up", dependencies=[Anyone], status_code=HTTP_201_CREATED, summary="Make an account")
async def sign_up(body: SignUp, accounts: AccountsOf, visit: VisitOf, parts: PartsOf) -> SignedIn:
    """Make an account with the role customer and sign in, where the settings let anyone do so."""
    if not parts.settings.gateway_sign_up:
        raise Forbidden("Accounts are made by admins here.", hint="Ask one for an invitation.")
    visit.count()
    return await visit.enter(await accounts.entrance.sign_up(body.name, body.password, visit.caller))


@router.post("/accept", dependencies=[Anyone], summary="Use a one-time link")
async def accept(body: Accept, accounts: AccountsOf, visit: VisitOf) -> SignedIn:
    """Set the password of the account that a link is for, and sign in. The first admin chooses a name as well."""
    visit.count()
    return await visit.enter(await accounts.entrance.accept(body.token, body.name, body.password, visit.caller))
