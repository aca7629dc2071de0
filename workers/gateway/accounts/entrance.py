"""Coming in: by password, by a one-time link, by making an account; and choosing another password."""

import asyncio
from dataclasses import dataclass, replace
from secrets import token_bytes
from typing import Final

from infra.lease import Clock, utc_now
from infra.store import Store
from schemas.http.account import PasswordChange, Role
from workers.gateway.access import Principal
from workers.gateway.accounts.devices import Caller, Devices
from workers.gateway.accounts.doer import Doer
from workers.gateway.accounts.links import FirstAdmin, name_in
from workers.gateway.accounts.lockout import NobodysTries, Source
from workers.gateway.accounts.passwords import Hasher, checked, normal
from workers.gateway.accounts.secrets import digest_of
from workers.gateway.accounts.sessions import Sessions
from workers.gateway.accounts.users import User, Users
from workers.gateway.audit import Audit
from workers.gateway.errors import Conflict, LinkSpent, PasswordWrong, SignInFailed, TooMany, Unprocessable

_RACES: Final = 5


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody who is in.

    Args:
        who: With the new session.
        cookie: The session's secret.
        device: What the browser is known by from now on.
    """

    who: Principal
    cookie: str
    device: str


class Entrance:
    """Lets people in.

    Args:
        store: Where accounts are.
        sessions: Where they are signed in.
        hasher: Of passwords.
        devices: Tell where passwords come from; None: no browser is known.
        clock: Tells the time.

    Its methods raise StoreUnavailable when the store is away.
    """

    def __init__(
        self, store: Store, sessions: Sessions, hasher: Hasher, devices: Devices | None = None, clock: Clock = utc_now
    ) -> None:
        self._users = Users(store, clock)
        self._audit = Audit(store)
        self._first = FirstAdmin(store, clock)
        self._nobodys = NobodysTries()
        self._sessions = sessions
        self._hasher = hasher
        self._devices = devices or Devices(token_bytes(32))
        self._clock = clock

    async def sign_in(self, name: str, password: str, caller: Caller) -> Entered:
        """Begin a session with name and password.

        Args:
            name: In its normal form.
            password: As it was typed.
            caller: Who wants in.

        Raises:
            SignInFailed: They do not fit.
            AccountLocked: They did not several times.
        """
        user = await self._verified(name, password, self._devices.source(name, caller), caller.request_id)
        if user is None:
            raise SignInFailed("Name and password do not fit.", hint="Check both; capital letters matter in passwords.")
        if self._hasher.is_outdated(user.password or ""):
            await self._users.renew_hash(user, await self._hasher.hash(normal(password)))
        return await self._enter(user, caller)

    async def sign_up(self, name: str, password: str, caller: Caller) -> Entered:
        """Make an account with the role customer, and begin a session.

        Raises:
            NameTaken: There is, or was, one of this name.
            PasswordRefused: The password is easily guessed.
        """
        return await self._make(name, password, Role.CUSTOMER, caller)

    async def accept(self, token: str, name: str | None, password: str, caller: Caller) -> Entered:
        """Choose the password of an account by a one-time link, and begin a session.

        Raises:
            LinkSpent: The link is not good, or not any more.
            NameTaken: The first admin chose a name that was used before.
            PasswordRefused: The password is easily guessed.
        """
        invited = name_in(token)
        if invited == "":
            return await self._accept_first(token, name, password, caller)
        digest = digest_of(token)
        if invited is None or name not in (None, invited) or not await self._users.accept(invited, digest):
            raise _spent()
        chosen = checked(password, invited)
        user = await self._users.get(invited)
        await self._audit.note(_principal(user), "password.set", user.name, request_id=caller.request_id)
        if not await self._users.accept(invited, digest, await self._hasher.hash(chosen)):
            raise _spent()
        await self._sessions.end_all(invited)
        await self._users.note_sign_in(invited, self._devices.source(invited, caller))
        return await self._enter(await self._users.get(invited), caller)

    async def change_password(self, who: Principal, change: PasswordChange, request_id: str | None = None) -> None:
        """Set another password, which ends all sessions but this one.

        Raises:
            PasswordWrong: The current one is not right.
            PasswordRefused: The new one is easily guessed.
        """
        source = self._devices.of_session(who.name, who.session or "")
        user = await self._verified(who.name, change.current, source, request_id)
        if user is None:
            raise PasswordWrong("The current password is not right.")
        await self._set_password(user, change.new, Doer(who, request_id))
        if who.session is not None:
            await self._sessions.keep(who.session, user.generation + 1)
        await self._sessions.end_all(user.name, but=who.session)

    async def set_password(self, name: str, password: str, by: Doer) -> None:
        """Set somebody's password, which ends all sessions.

        Raises:
            NotFound: There is no such account.
            PasswordRefused: The password is easily guessed.
        """
        await self._set_password(await self._users.get(name), password, by)
        await self._sessions.end_all(name)

    async def _set_password(self, user: User, password: str, by: Doer) -> None:
        chosen = checked(password, user.name)
        await self._audit.note(by.who, "password.set", user.name, request_id=by.request_id)
        if not await self._users.set_password(user, await self._hasher.hash(chosen)):
            raise Conflict("The password was changed by somebody else just now.")

    async def _verified(self, name: str, password: str, source: Source, request_id: str | None) -> User | None:
        """The account, if the password is right. The try is counted, in the store, before anyone learns that."""
        user = await self._users.find(name)
        tries = user.tries if user is not None else self._nobodys.of(name)
        tries.check(source, self._clock())
        hashed = user.password if user is not None and not user.disabled else None
        # Both at once: what the store takes for a name that is there is within what the hash takes.
        right, _ = await asyncio.gather(self._hasher.is_right(password, hashed), self._count(name, user, source))
        if user is not None and right:
            await self._users.note_sign_in(name, source)
            return user
        if user is not None and (whom := tries.failed(source, self._clock()).locks(source)) is not None:
            await self._audit.note("aisle", "account.lock", name, after={"for": whom}, request_id=request_id)
        return None

    async def _count(self, name: str, user: User | None, source: Source) -> None:
        for _ in range(_RACES):
            if user is None:
                self._nobodys.failed(name, source, self._clock())
                return
            if await self._users.count_try(user, source):
                return
            user = await self._users.find(name)  # another one was counted meanwhile
            if user is not None:
                user.tries.check(source, self._clock())
        raise TooMany("Too many sign-ins to this account are under way.", retry_after_s=1)

    async def _accept_first(self, token: str, name: str | None, password: str, caller: Caller) -> Entered:
        if await self._users.has_admin() or not await self._first.is_good(token):
            raise _spent()
        if name is None:
            raise Unprocessable("body.name: the first admin chooses a name.")
        checked(password, name)
        await self._users.check_free(name)
        if not await self._first.use(token):
            raise _spent()
        return await self._make(name, password, Role.ADMIN, caller)

    async def _make(self, name: str, password: str, role: Role, caller: Caller) -> Entered:
        chosen = checked(password, name)
        await self._users.check_free(name)
        hashed = await self._hasher.hash(chosen)
        by = Principal(name, role)
        await self._audit.note(by, "account.create", name, after=role.value, request_id=caller.request_id)
        user = await self._users.add(name, role, hashed, name)
        await self._users.note_sign_in(name, self._devices.source(name, caller))
        return await self._enter(user, caller)

    async def _enter(self, user: User, caller: Caller) -> Entered:
        who = _principal(user)
        await self._audit.note(who, "session.begin", user.name, request_id=caller.request_id)
        identity, cookie = await self._sessions.begin(user, caller.agent)
        return Entered(replace(who, session=identity), cookie, self._devices.cookie(user.name, caller))


def _principal(user: User) -> Principal:
    return Principal(user.name, user.role)


def _spent() -> LinkSpent:
    return LinkSpent("This link was used, or is too old.", hint="Ask an admin for another one.")
