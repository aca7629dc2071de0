"""What an admin does with accounts, over HTTP and on the command line."""

from infra.lease import Clock, utc_now
from infra.settings import Settings
from infra.store import Store
from schemas.http.account import Role
from schemas.http.users import Invitation, UserInfo
from workers.gateway.accounts.doer import Doer
from workers.gateway.accounts.keys import Keys
from workers.gateway.accounts.links import INVITATION_LASTS, link_of, new_token
from workers.gateway.accounts.secrets import digest_of
from workers.gateway.accounts.sessions import Sessions
from workers.gateway.accounts.users import User, Users
from workers.gateway.audit import Audit


class Administration:
    """The accounts of a store, and everything about them on record.

    Args:
        store: Where they are.
        settings: What is in force.
        clock: Tells the time.

    Its methods raise StoreUnavailable when the store is away.
    """

    def __init__(self, store: Store, settings: Settings, clock: Clock = utc_now) -> None:
        self.users = Users(store, clock)
        self._audit = Audit(store)
        self._sessions = Sessions(store, settings.gateway_session_days, clock)
        self._keys = Keys(store, clock)
        self._settings = settings
        self._clock = clock

    async def page(self, limit: int, after: str = "") -> list[UserInfo]:
        """Accounts in the order of their names, from behind a name."""
        return [shown(user) for user in await self.users.page(limit, after)]

    async def add(self, name: str, role: Role, by: Doer, password: str | None = None) -> UserInfo:
        """Make an account.

        Args:
            name: In its normal form.
            role: What it is for.
            by: Who makes it.
            password: The hash of its password; without one it waits for whoever gets a link.

        Raises:
            NameTaken: There is, or was, one of this name.
        """
        await self.users.check_free(name)
        await self._audit.note(by.who, "account.create", name, after=role.value, request_id=by.request_id)
        return shown(await self.users.add(name, role, password, by.name))

    async def invite(self, name: str, by: Doer) -> Invitation:
        """A one-time link by which somebody sets the password of an account; those before it end.

        Raises:
            NotFound: There is no such account.
        """
        user = await self.users.get(name)
        token, until = new_token(user.name), self._clock() + INVITATION_LASTS
        await self._audit.note(by.who, "account.invite", name, after={"until": until}, request_id=by.request_id)
        await self.users.invite(name, digest_of(token), until)
        return Invitation(name=name, token=token, link=link_of(self._settings, token), expires_at=until)

    async def change(self, name: str, role: Role | None, by: Doer, *, disabled: bool | None = None) -> UserInfo:
        """Give an account another role, shut it or open it; None: stays.

        Raises:
            NotFound: There is no such account.
            LastAdmin: There would be no admin.
            Conflict: Somebody else changed it at the same time.
        """
        user = await self.users.get(name)
        before = {"role": user.role.value, "disabled": user.disabled}
        role, disabled = role or user.role, user.disabled if disabled is None else disabled
        after = {"role": role.value, "disabled": disabled}
        if before != after:
            await self._audit.note(by.who, "account.change", name, before=before, after=after, request_id=by.request_id)
            await self.users.change(user, role, disabled=disabled)
        return shown(await self.users.get(name))

    async def remove(self, name: str, by: Doer) -> None:
        """Delete an account with its sessions and keys; its name is never given again.

        Raises:
            NotFound: There is no such account.
            LastAdmin: There would be no admin.
        """
        user = await self.users.get(name)
        await self._audit.note(by.who, "account.remove", name, before=user.role.value, request_id=by.request_id)
        await self.users.remove(user)
        await self._sessions.end_all(name)
        await self._keys.revoke_all(name)


def shown(user: User) -> UserInfo:
    """What an admin sees of an account."""
    return UserInfo(
        name=user.name,
        role=user.role,
        disabled=user.disabled,
        invited=user.password is None,
        created_at=user.created_at,
        signed_in_at=user.signed_in_at,
        locked_until=user.tries.strangers.locked_until,
    )
