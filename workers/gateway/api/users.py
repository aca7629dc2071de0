"""Accounts, for admins."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT

from schemas.http.account import AccountName, Role
from schemas.http.paging import Page
from schemas.http.users import Invitation, NewUser, UserChange, UserInfo, UserMade
from workers.gateway.access import Admin
from workers.gateway.accounts.doer import Doer
from workers.gateway.accounts.gatekeeper import AccountsOf
from workers.gateway.paging import Cursor, Limit, cursor_of, place_of
from workers.gateway.parts import PartsOf
from workers.gateway.problems import PROBLEMS

router = APIRouter(prefix="/api/v1/users", tags=["users"], responses=PROBLEMS)

Named = Annotated[AccountName, Path(description="The account's name.")]


@router.get("", summary="All accounts")
async def users(_: Admin, accounts: AccountsOf, limit: Limit = 50, cursor: Cursor = None) -> Page[UserInfo]:
    """Accounts in the order of their names."""
    after = str(place_of(cursor, str)[0]) if cursor is not None else ""
    found = await accounts.administration.page(limit + 1, after)
    items = found[:limit]
    return Page[UserInfo](items=items, next=cursor_of(items[-1].name) if len(found) > limit else None)


@router.post("", status_code=HTTP_201_CREATED, summary="Invite somebody")
async def add(body: NewUser, who: Admin, request: Request, accounts: AccountsOf) -> UserMade:
    """Make an account. The answer has a one-time link, good for a week, by which its owner chooses a password."""
    who.check_signed_in()
    by = Doer(who, request.state.request_id)
    user = await accounts.administration.add(body.name, body.role, by)
    return UserMade(user=user, invitation=await accounts.administration.invite(user.name, by))


@router.patch("/{name}", summary="Change an account")
async def change(
    name: Named, body: UserChange, who: Admin, request: Request, accounts: AccountsOf, parts: PartsOf
) -> UserInfo:
    """Give an account another role, shut it or open it again; within seconds every gateway knows.

    The last admin stays one (409). Who may review no more gives back the items in hand.
    """
    who.check_signed_in()
    by = Doer(who, request.state.request_id)
    changed = await accounts.administration.change(name, body.role, by, disabled=body.disabled)
    accounts.changed()
    if changed.disabled or changed.role is Role.CUSTOMER:
        await parts.review.claims.release(name)
    return changed


@router.post("/{name}/invitation", status_code=HTTP_201_CREATED, summary="Let somebody choose a password")
async def invite(name: Named, who: Admin, request: Request, accounts: AccountsOf) -> Invitation:
    """A one-time link, good for a week, by which the owner of an account sets its password. Those before it end."""
    who.check_signed_in()
    return await accounts.administration.invite(name, Doer(who, request.state.request_id))


@router.delete("/{name}", status_code=HTTP_204_NO_CONTENT, summary="Delete an account")
async def remove(name: Named, who: Admin, request: Request, accounts: AccountsOf, parts: PartsOf) -> None:
    """Delete an account with its sessions and keys. Its name is never given to another; the last admin stays (409)."""
    who.check_signed_in()
    await accounts.administration.remove(name, Doer(who, request.state.request_id))
    accounts.changed()
    await parts.review.claims.release(name)
