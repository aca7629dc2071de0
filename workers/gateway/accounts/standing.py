"""Whom a session or an API key stands for, as the store has it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from infra.store import API_KEYS, SESSIONS, USERS, Document, Store
from schemas.http.account import Role
from workers.gateway.access import Principal

_LOOKS: Final = 2  # a password may be changed between a session's look-up and its user's
_OF_A_USER: Final = {"role": 1, "disabled": 1, "deleted_at": 1, "generation": 1}


@dataclass(frozen=True, slots=True)
class Standing:
    """A session or API key that is in force.

    Args:
        who: Whom it stands for.
        digest: Of its secret.
        used_at: When it was last used, as far as that was noted; None: never.
        until: When it is over; None: never.
    """

    who: Principal
    digest: str
    used_at: datetime | None
    until: datetime | None


class Standings:
    """Looks up sessions and API keys with their users.

    Args:
        store: Where they are.

    Its methods raise StoreUnavailable when the store is away.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of_session(self, identity: str) -> Standing | None:
        """The session of this id; None where it was ended.

        A session is of its user's generation: one write to the user's document ends all that there are.
        """
        for _ in range(_LOOKS):
            session = await self._get(SESSIONS, identity)
            user = None if session is None else await self._get(USERS, session["user"], _OF_A_USER)
            if session is None or user is None or not _is_in_force(user):
                return None
            if session["generation"] == user["generation"]:
                who = Principal(user["_id"], Role(user["role"]), session=identity)
                return Standing(who, session["digest"], session["used_at"], session["expires_at"])
        return None

    async def of_key(self, identity: str) -> Standing | None:
        """The API key of this id; None where it was revoked."""
        key = await self._get(API_KEYS, identity)
        user = None if key is None else await self._get(USERS, key["user"], _OF_A_USER)
        if key is None or user is None or not _is_in_force(user):
            return None
        who = Principal(user["_id"], Role(user["role"]), key=identity)
        return Standing(who, key["digest"], key.get("used_at"), key["expires_at"])

    async def _get(self, collection: str, identity: str, fields: Document | None = None) -> Document | None:
        with self._store.named_errors():
            return await self._store.collection(collection).find_one({"_id": identity}, fields)


def _is_in_force(user: Document) -> bool:
    return user.get("deleted_at") is None and not user["disabled"]
