"""The accounts in the store, a document each. The name of one that was deleted stays taken for ever."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import uuid4

from pymongo import ASCENDING, UpdateOne

from infra.lease import Clock, utc_now
from infra.store import USERS, Document, Store
from schemas.http.account import Role
from workers.gateway.accounts.lockout import Record, Source
from workers.gateway.accounts.tries import fields_of, forgiven, record_of, unchanged
from workers.gateway.errors import Conflict, LastAdmin, NameTaken, NotFound

_RACES: Final = 10
_ADMINS: Final = {"role": Role.ADMIN.value, "disabled": False, "deleted_at": None, "password": {"$ne": None}}


@dataclass(frozen=True, slots=True)
class User:
    """An account.

    Args:
        name: In its normal form.
        role: What it is for.
        disabled: Whether it is shut for now.
        password: The hash; None: whoever has its link may choose one.
        generation: Grows with what ends all its sessions.
        tries: The wrong passwords.
        created_at: When it was made.
        signed_in_at: When somebody last signed in.
    """

    name: str
    role: Role
    disabled: bool
    password: str | None
    generation: int
    tries: Record
    created_at: datetime
    signed_in_at: datetime | None

    @property
    def is_admin(self) -> bool:
        """Whether it can administer now."""
        return self.role is Role.ADMIN and not self.disabled and self.password is not None


class Users:
    """The accounts of a store.

    Args:
        store: Where they are.
        clock: Tells the time.

    Its methods raise StoreUnavailable when the store is away.
    """

    def __init__(self, store: Store, clock: Clock = utc_now) -> None:
        self._store = store
        self._clock = clock

    async def add(self, name: str, role: Role, password: str | None, by: str) -> User:
        """Make an account.

        Raises:
            NameTaken: There is, or was, one of this name.
        """
        token = uuid4().hex  # tells whose of two at once it became
        fields = {
            "role": role.value,
            "password": password,
            "disabled": False,
            "generation": 1,
            "created_at": self._clock(),
            "by": by,
            "token": token,
            "deleted_at": None,
        } | fields_of(Record())
        await self._store.upsert(USERS, [UpdateOne({"_id": name}, {"$setOnInsert": fields}, upsert=True)])
        stands = await self._find(name)
        if stands is None or stands.get("token") != token:
            raise NameTaken(f"The name {name} is taken, or was by an account that is gone.", hint="Choose another one.")
        return _user(stands)

    async def find(self, name: str) -> User | None:
        """The account of a name."""
        found = await self._find(name)
        return None if found is None or found["deleted_at"] is not None else _user(found)

    async def get(self, name: str) -> User:
        """The same.

        Raises:
            NotFound: There is none.
        """
        user = await self.find(name)
        if user is None:
            raise NotFound(f"There is no account {name}.")
        return user

    async def check_free(self, name: str) -> None:
        """Return if an account may have this name.

        Raises:
            NameTaken: There is, or was, one of this name.
        """
        if await self._find(name) is not None:
            raise NameTaken(f"The name {name} is taken, or was by an account that is gone.", hint="Choose another one.")

    async def page(self, limit: int, after: str = "") -> list[User]:
        """Accounts in the order of their names, from behind a name."""
        query = {"_id": {"$gt": after}, "deleted_at": None}
        with self._store.named_errors():
            found = self._store.collection(USERS).find(query, sort=[("_id", ASCENDING)], limit=limit)
            return [_user(one) async for one in found]

    async def has_admin(self, beside: str | None = None) -> bool:
        """Whether somebody can administer.

        Args:
            beside: An account that is not looked at.
        """
        with self._store.named_errors():
            found = self._store.collection(USERS).find(_ADMINS, {"_id": 1}, limit=2)
            names = [one["_id"] async for one in found]
        return any(name != beside for name in names)

    async def change(self, user: User, role: Role, *, disabled: bool) -> None:
        """Give an account this role, and shut or open it.

        Raises:
            LastAdmin: There would be none.
            Conflict: Somebody else changed it since it was read.
        """
        await self._check_not_last(user, stays=role is Role.ADMIN and not disabled)
        was = {"role": user.role.value, "disabled": user.disabled}
        now: Document = {"$set": {"role": role.value, "disabled": disabled}}
        if disabled and not user.disabled:
            now["$inc"] = {"generation": 1}
        if not await self._update(user.name, was, now):
            raise Conflict(f"The account {user.name} was changed by somebody else just now.", hint="Look again.")
        if user.is_admin and (role is not Role.ADMIN or disabled) and not await self.has_admin():
            # Another one was shut or demoted at the same time: whoever sees so takes it back.
            await self._update(user.name, {}, {"$set": was})
            raise _last_admin(user.name)

    async def remove(self, user: User) -> None:
        """Delete an account, but for its name.

        Raises:
            LastAdmin: There would be no admin.
        """
        if user.is_admin:
            await self.change(user, user.role, disabled=True)
        gone = {"deleted_at": self._clock(), "disabled": True, "role": user.role.value, "generation": -1}
        with self._store.named_errors():
            await self._store.collection(USERS).replace_one({"_id": user.name, "deleted_at": None}, gone)

    async def set_password(self, user: User, password: str) -> bool:
        """Give an account another password, which ends its sessions; False if it has another by now."""
        change = {"password": password, "invitation": None} | forgiven()
        was = {"password": user.password, "generation": user.generation}
        return await self._update(user.name, was, {"$set": change, "$inc": {"generation": 1}})

    async def renew_hash(self, user: User, password: str) -> None:
        """Keep another hash of the same password."""
        await self._update(user.name, {"password": user.password}, {"$set": {"password": password}})

    async def count_try(self, user: User, source: Source) -> bool:
        """Count a password that is tried, before anyone says whether it is right; False if another came between."""
        was, now = unchanged(user.tries), user.tries.failed(source, self._clock())
        return await self._update(user.name, was, {"$set": fields_of(now)})

    async def note_sign_in(self, name: str, source: Source) -> None:
        """Forget the wrong passwords from a place: a right one came."""
        for _ in range(_RACES):
            user = await self.find(name)
            if user is None:
                return
            now = fields_of(user.tries.succeeded(source)) | {"signed_in_at": self._clock()}
            if await self._update(name, unchanged(user.tries), {"$set": now}):
                return

    async def invite(self, name: str, digest: str, until: datetime) -> None:
        """Let whoever has a secret choose the password, once."""
        await self._update(name, {}, {"$set": {"invitation": {"digest": digest, "until": until}}})

    async def accept(self, name: str, digest: str, password: str | None = None) -> bool:
        """Set the password that somebody with such a secret chose; without one, only say whether it could be."""
        good = {"invitation.digest": digest, "invitation.until": {"$gt": self._clock()}, "disabled": False}
        if password is None:
            with self._store.named_errors():
                return await self._store.collection(USERS).find_one({"_id": name} | good, {"_id": 1}) is not None
        change = {"password": password, "invitation": None} | forgiven()
        return await self._update(name, good, {"$set": change, "$inc": {"generation": 1}})

    async def _check_not_last(self, user: User, *, stays: bool) -> None:
        if user.is_admin and not stays and not await self.has_admin(beside=user.name):
            raise _last_admin(user.name)

    async def _find(self, name: str) -> Document | None:
        with self._store.named_errors():
            return await self._store.collection(USERS).find_one({"_id": name})

    async def _update(self, name: str, was: Document, change: Document) -> bool:
        with self._store.named_errors():
            done = await self._store.collection(USERS).update_one({"_id": name, "deleted_at": None} | was, change)
        return bool(done.matched_count)


def _user(document: Document) -> User:
    return User(
        name=document["_id"],
        role=Role(document["role"]),
        disabled=document["disabled"],
        password=document["password"],
        generation=document["generation"],
        tries=record_of(document),
        created_at=document["created_at"],
        signed_in_at=document.get("signed_in_at"),
    )


def _last_admin(name: str) -> LastAdmin:
    return LastAdmin(f"{name} is the last admin.", hint="Make another account an admin first.")
