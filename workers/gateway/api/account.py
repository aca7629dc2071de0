"""One's own account: who one is, password, sessions, API keys."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT

from schemas.http.account import KeyInfo, KeyMade, Me, NewKey, PasswordChange, SessionInfo
from schemas.http.paging import Page
from workers.gateway.access import Account
from workers.gateway.accounts.gatekeeper import AccountsOf
from workers.gateway.accounts.keys import new_id
from workers.gateway.audit import Audit
from workers.gateway.parts import PartsOf
from workers.gateway.problems import PROBLEMS

router = APIRouter(prefix="/api/v1/me", tags=["account"], responses=PROBLEMS)

KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


@router.get("", summary="Who one is")
async def me(who: Account) -> Me:
    """The account that asks."""
    return Me(name=who.name, role=who.role, key=who.key)


@router.post("/password", status_code=HTTP_204_NO_CONTENT, summary="Change one's password")
async def change_password(body: PasswordChange, who: Account, request: Request, accounts: AccountsOf) -> None:
    """Set another password. All sessions but this one end; API keys stay."""
    who.check_signed_in()
    await accounts.entrance.change_password(who, body, request.state.request_id)
    accounts.changed()


@router.get("/sessions", summary="Where one is signed in")
async def sessions(who: Account, accounts: AccountsOf) -> Page[SessionInfo]:
    """One's sessions, the last used first; all on one page."""
    user = await accounts.administration.users.get(who.name)
    return Page[SessionInfo](items=await accounts.sessions.of(user, who.session))


@router.delete("/sessions", status_code=HTTP_204_NO_CONTENT, summary="Sign out everywhere else")
async def end_sessions(who: Account, request: Request, accounts: AccountsOf, parts: PartsOf) -> None:
    """End all of one's sessions but this one."""
    who.check_signed_in()
    await Audit(parts.store).note(who, "session.end-others", who.name, request_id=request.state.request_id)
    await accounts.sessions.end_all(who.name, but=who.session)
    accounts.changed()


@router.get("/keys", summary="One's API keys")
async def keys(who: Account, accounts: AccountsOf) -> Page[KeyInfo]:
    """One's API keys without their secrets, the oldest first; all on one page."""
    return Page[KeyInfo](items=await accounts.keys.of(who.name))


@router.post("/keys", status_code=HTTP_201_CREATED, summary="Make an API key")
async def make_key(body: NewKey, who: Account, request: Request, accounts: AccountsOf, parts: PartsOf) -> KeyMade:
    """Make an API key with the role of its owner. The answer shows it, and nothing will again."""
    who.check_signed_in()
    identity = new_id()
    after = {"key": identity, "name": body.name, "days": body.days}
    await Audit(parts.store).note(who, "key.make", who.name, after=after, request_id=request.state.request_id)
    return await accounts.keys.make(who.name, body, identity)


@router.delete("/keys/{key_id}", status_code=HTTP_204_NO_CONTENT, summary="Revoke an API key")
async def revoke_key(key_id: KeyId, who: Account, request: Request, accounts: AccountsOf, parts: PartsOf) -> None:
    """End an API key; within seconds no gateway takes it any more."""
    who.check_signed_in()
    key = await accounts.keys.get(who.name, key_id)
    before = {"key": key.id, "name": key.name}
    await Audit(parts.store).note(who, "key.revoke", who.name, before=before, request_id=request.state.request_id)
    await accounts.keys.revoke(key_id)
    accounts.changed()
