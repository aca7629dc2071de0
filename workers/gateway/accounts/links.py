"""One-time links: to an account that somebody was invited to, and to that of the first admin."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Final

from pymongo import UpdateOne

from infra.lease import Clock, utc_now
from infra.settings import Settings
from infra.store import INVITATIONS, Document, Store
from schemas.http.account import normal_name
from workers.gateway.accounts.secrets import digest_of, new_secret

INVITATION_LASTS: Final = timedelta(days=7)
FIRST_LASTS: Final = timedelta(days=1)

_FIRST: Final = {"_id": "first-admin"}
_MOST_FIRST: Final = 20
_ANYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - a browser cannot call these


def new_token(name: str = "") -> str:
    """A secret that says whose it is; without a name, the first admin's."""
    return f"{urlsafe_b64encode(name.encode()).decode().rstrip('=')}.{new_secret()}"


def name_in(token: str) -> str | None:
    """The name that a token says; empty for the first admin, None where it is no token."""
    coded, dot, _ = token.partition(".")
    try:
        name = urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()
        return name if dot and (not name or name == normal_name(name)) else None
    except (ValueError, binascii.Error):
        return None


def link_of(settings: Settings, token: str, there: str | None = None) -> str:
    """Where whoever has a token goes with it.

    Args:
        settings: What is in force.
        token: The token.
        there: Where a gateway is reached that has no address in the settings; None: host and port of the settings.
    """
    host = "localhost" if settings.gateway_host in _ANYWHERE else settings.gateway_host
    named = f"http://{f'[{host}]' if ':' in host else host}:{settings.gateway_port}"
    return f"{settings.gateway_url or there or named}/welcome?token={token}"


class FirstAdmin:
    """The link by which the first admin makes an account. Each gateway may show one; one use ends all of them.

    Args:
        store: Where their digests are.
        clock: Tells the time.

    Its methods raise StoreUnavailable when the store is away.
    """

    def __init__(self, store: Store, clock: Clock = utc_now) -> None:
        self._store = store
        self._clock = clock

    async def offer(self) -> str:
        """A new token, good for 24 hours."""
        token = new_token()
        change = {
            "$set": {"until": self._clock() + FIRST_LASTS, "used_at": None},
            "$push": {"digests": {"$each": [digest_of(token)], "$slice": -_MOST_FIRST}},
        }
        await self._store.upsert(INVITATIONS, [UpdateOne(_FIRST, change, upsert=True)])
        return token

    async def is_good(self, token: str) -> bool:
        """Whether a token may be used."""
        with self._store.named_errors():
            return await self._store.collection(INVITATIONS).find_one(self._good(token), {"_id": 1}) is not None

    async def use(self, token: str) -> bool:
        """Use one; False if it cannot be, or another was used."""
        change = {"$set": {"used_at": self._clock(), "digests": []}}
        with self._store.named_errors():
            done = await self._store.collection(INVITATIONS).update_one(self._good(token), change)
        return bool(done.modified_count)

    def _good(self, token: str) -> Document:
        return _FIRST | {"digests": digest_of(token), "used_at": None, "until": {"$gt": self._clock()}}
