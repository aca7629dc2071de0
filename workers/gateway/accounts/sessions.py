"""Sessions: where somebody is signed in. The cookie has a random secret, the store only its digest."""

import re
import secrets
from datetime import timedelta
from typing import Final

from pymongo import DESCENDING

from infra.lease import Clock, utc_now
from infra.store import SESSIONS, Document, Store
from schemas.http.account import SessionInfo
from workers.gateway.accounts.secrets import digest_of, new_secret
from workers.gateway.accounts.users import User

_MOST_OF_A_USER: Final = 50
_AGENT_CHARS: Final = 200
_FORM: Final = re.compile(r"([0-9a-f]{32})\.([\w-]{1,100})", re.ASCII)


def parts_of(cookie: str) -> tuple[str, str] | None:
    """Id and secret in a session's cookie; None if it has not got that form."""
    found = _FORM.fullmatch(cookie)
    return (found[1], found[2]) if found else None


class Sessions:
    """The sessions of a store.

    Args:
        store: Where they are.
        days: How long one lasts without being used.
        clock: Tells the time.

    Its methods raise StoreUnavailable when the store is away.
    """

    def __init__(self, store: Store, days: float, clock: Clock = utc_now) -> None:
        self._store = store
        self._clock = clock
        self.last = timedelta(days=days)

    async def begin(self, user: User, agent: str) -> tuple[str, str]:
        """Begin one: its id, and what goes into the cookie. The user's oldest and those that are over go.

        Args:
            user: Who signed in.
            agent: What the browser says of itself.
        """
        await self._tidy(user)
        identity, secret = secrets.token_hex(16), new_secret()
        now = self._clock()
        session = {
            "_id": identity,
            "user": user.name,
            "generation": user.generation,
            "digest": digest_of(secret),
            "agent": "".join(one for one in agent[:_AGENT_CHARS] if one.isprintable()),
            "created_at": now,
            "used_at": now,
            "expires_at": now + self.last,
        }
        with self._store.named_errors():
            await self._store.collection(SESSIONS).insert_one(session)
        return identity, f"{identity}.{secret}"

    async def of(self, user: User, current: str | None) -> list[SessionInfo]:
        """Those of a user that are not over, the last used first."""
        return [
            SessionInfo(id=one["_id"], current=one["_id"] == current, **_shown(one))
            for one in await self._all(user.name)
            if one["generation"] == user.generation and one["expires_at"] > self._clock()
        ]

    async def end(self, identity: str) -> None:
        """End one."""
        with self._store.named_errors():
            await self._store.collection(SESSIONS).delete_one({"_id": identity})

    async def end_all(self, name: str, but: str | None = None) -> None:
        """End all of a user, but maybe one."""
        with self._store.named_errors():
            await self._store.collection(SESSIONS).delete_many({"user": name, "_id": {"$ne": but}})

    async def keep(self, identity: str, generation: int) -> None:
        """Let one go on in its user's next generation."""
        with self._store.named_errors():
            await self._store.collection(SESSIONS).update_one({"_id": identity}, {"$set": {"generation": generation}})

    async def _all(self, name: str) -> list[Document]:
        with self._store.named_errors():
            found = self._store.collection(SESSIONS).find({"user": name}, {"digest": 0}, sort=[("used_at", DESCENDING)])
            return [one async for one in found]

    async def _tidy(self, user: User) -> None:
        now, standing = self._clock(), 1
        for one in await self._all(user.name):
            good = one["generation"] >= user.generation and one["expires_at"] > now
            standing += good
            if not good or standing > _MOST_OF_A_USER:
                await self.end(one["_id"])


def _shown(session: Document) -> Document:
    return {name: session[name] for name in ("agent", "created_at", "used_at", "expires_at")}
