"""API keys, for machines: ``aisle_<id>_<secret>``, shown once; the store has the digest of the secret."""

import re
import secrets
from datetime import timedelta
from typing import Final

from pymongo import ASCENDING

from infra.lease import Clock, utc_now
from infra.store import API_KEYS, Document, Store
from schemas.http.account import KeyInfo, KeyMade, NewKey
from workers.gateway.accounts.secrets import digest_of, new_secret
from workers.gateway.errors import Conflict, NotFound

MARK: Final = "aisle_"
"""How keys begin, so that whoever finds one knows what it is."""

_MOST_OF_A_USER: Final = 50
_FORM: Final = re.compile(MARK + r"([0-9a-f]{16})_([\w-]{1,100})", re.ASCII)


def parts_of(key: str) -> tuple[str, str] | None:
    """Id and secret of a key; None if it has not got that form."""
    found = _FORM.fullmatch(key)
    return (found[1], found[2]) if found else None


class Keys:
    """The API keys of a store.

    Args:
        store: Where they are.
        clock: Tells the time.

    Its methods raise StoreUnavailable when the store is away.
    """

    def __init__(self, store: Store, clock: Clock = utc_now) -> None:
        self._store = store
        self._clock = clock

    async def make(self, name: str, asked: NewKey, identity: str) -> KeyMade:
        """Make one.

        Args:
            name: Of its owner.
            asked: What it is for, and how long it is good.
            identity: As `new_id` gave it.

        Raises:
            Conflict: The owner has as many as one may have.
        """
        if len(await self.of(name)) >= _MOST_OF_A_USER:
            raise Conflict(f"An account has at most {_MOST_OF_A_USER} keys.", hint="Revoke those not in use.")
        secret, now = new_secret(), self._clock()
        until = None if asked.days is None else now + timedelta(days=asked.days)
        key = {"_id": identity, "user": name, "name": asked.name, "created_at": now, "expires_at": until}
        with self._store.named_errors():
            await self._store.collection(API_KEYS).insert_one(key | {"digest": digest_of(secret)})
        return KeyMade(**_info(key).model_dump(), key=f"{MARK}{identity}_{secret}")

    async def of(self, name: str) -> list[KeyInfo]:
        """Those of a user, the oldest first."""
        with self._store.named_errors():
            found = self._store.collection(API_KEYS).find(
                {"user": name}, {"digest": 0}, sort=[("created_at", ASCENDING)]
            )
            return [_info(one) async for one in found]

    async def get(self, name: str, identity: str) -> KeyInfo:
        """One of a user's.

        Raises:
            NotFound: It is none of this user's.
        """
        with self._store.named_errors():
            found = await self._store.collection(API_KEYS).find_one({"_id": identity, "user": name}, {"digest": 0})
        if found is None:
            raise NotFound("You have no such key.")
        return _info(found)

    async def revoke(self, identity: str) -> None:
        """End one."""
        with self._store.named_errors():
            await self._store.collection(API_KEYS).delete_one({"_id": identity})

    async def revoke_all(self, name: str) -> None:
        """End all of a user."""
        with self._store.named_errors():
            await self._store.collection(API_KEYS).delete_many({"user": name})


def new_id() -> str:
    """The id of a new key."""
    return secrets.token_hex(8)


def _info(key: Document) -> KeyInfo:
    return KeyInfo(
        id=key["_id"],
        name=key["name"],
        created_at=key["created_at"],
        expires_at=key["expires_at"],
        used_at=key.get("used_at"),
    )
