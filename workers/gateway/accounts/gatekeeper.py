"""Knows callers by what they carry: an access token, an API key, the cookie of a session."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, cast

from fastapi import Depends, Request

from infra.lease import Clock, utc_now
from infra.settings import Settings
from infra.store import Store
from schemas.http.account import SignedIn
from workers.gateway.access import Principal
from workers.gateway.accounts import keys, sessions
from workers.gateway.accounts.addresses import Addresses
from workers.gateway.accounts.administration import Administration
from workers.gateway.accounts.devices import Devices
from workers.gateway.accounts.entrance import Entrance
from workers.gateway.accounts.keys import MARK, Keys
from workers.gateway.accounts.links import FirstAdmin, link_of
from workers.gateway.accounts.passwords import Hasher
from workers.gateway.accounts.recent import Known, Otherwise, Recent
from workers.gateway.accounts.secrets import is_secret_of, signing_secret
from workers.gateway.accounts.sessions import Sessions
from workers.gateway.accounts.standing import Standing, Standings
from workers.gateway.accounts.tokens import Claims, Tokens
from workers.gateway.accounts.uses import Uses


class Accounts:
    """The gatekeeper of a gateway, and all that its routes do with accounts.

    Args:
        store: Where accounts are; may be away at any time.
        settings: What is in force.
        clock: Tells the time.
        hasher: Of passwords.

    Raises:
        SettingsInvalid: The secret that tokens are signed with cannot be used.
        OSError: It cannot be read or made.
    """

    def __init__(self, store: Store, settings: Settings, clock: Clock = utc_now, hasher: Hasher | None = None) -> None:
        self._clock = clock
        self._settings = settings
        self._first = FirstAdmin(store, clock)
        self._standings = Standings(store)
        self._recent: Recent[Standing | None] = Recent()
        secret = signing_secret(settings)
        self._tokens = Tokens(secret, settings.gateway_access_minutes, clock)
        self.sessions = Sessions(store, settings.gateway_session_days, clock)
        self._uses = Uses(store, self.sessions.last, clock)
        self.keys = Keys(store, clock)
        self.entrance = Entrance(store, self.sessions, hasher or Hasher(), Devices(secret), clock)
        self.administration = Administration(store, settings, clock)
        self.addresses = Addresses(settings.gateway_tries_per_minute)

    async def bearer(self, token: str) -> Principal | None:
        """Who an access token or API key belongs to; None when it is not good.

        Raises:
            StoreUnavailable: It can only be told by the store, which is away.
        """
        if token.startswith(MARK):
            return await self._of_key(token)
        claims = self._tokens.read(token)
        return None if claims is None else await self._of_claims(claims)

    async def session(self, secret: str) -> Principal | None:
        """Who the session of a cookie belongs to; None when it is over. It lasts longer by this.

        Raises:
            StoreUnavailable: It can only be told by the store, which is away.
        """
        parts = sessions.parts_of(secret)
        return None if parts is None else await self._admitted(await self._session(parts[0]), parts[1])

    def token_of(self, who: Principal) -> SignedIn:
        """An access token for a session.

        Args:
            who: With its session.
        """
        seen = self._clock() - timedelta(seconds=who.age_s)
        claims = Claims(who.name, who.session or "", who.role, seen)
        lasts_s = round(self._tokens.lasts.total_seconds())
        return SignedIn(access_token=self._tokens.make(claims), expires_in=lasts_s, name=who.name, role=who.role)

    async def first_link(self, there: str | None = None) -> str | None:
        """A link by which the first admin makes an account, once and within a day; None where there is an admin.

        Args:
            there: Where this gateway is reached; None: as the settings say.

        Raises:
            StoreUnavailable: The store is away.
        """
        if await self.administration.users.has_admin():
            return None
        return link_of(self._settings, await self._first.offer(), there)

    def changed(self) -> None:
        """Let what this process changed count in it at once; in others it does within `recent.FRESH_S`."""
        self._recent.change()

    async def _of_claims(self, claims: Claims) -> Principal | None:
        signed = Standing(Principal(claims.name, claims.role, session=claims.session), "", None, None)
        age_s = max(0.0, (self._clock() - claims.seen).total_seconds())
        known = await self._session(claims.session, Otherwise(signed, age_s))
        if known.value is None or known.value.who.name != claims.name or self._is_over(known.value):
            return None
        return replace(known.value.who, age_s=known.age_s)

    async def _of_key(self, key: str) -> Principal | None:
        parts = keys.parts_of(key)
        if parts is None:
            return None
        identity, own = parts
        known = await self._recent.get(f"key {identity}", lambda: self._standings.of_key(identity))
        return await self._admitted(known, own)

    async def _session(
        self, identity: str, otherwise: Otherwise[Standing | None] | None = None
    ) -> Known[Standing | None]:
        return await self._recent.get(f"session {identity}", lambda: self._standings.of_session(identity), otherwise)

    async def _admitted(self, known: Known[Standing | None], secret: str) -> Principal | None:
        standing = known.value
        if standing is None or not is_secret_of(secret, standing.digest) or self._is_over(standing):
            return None
        if not self._recent.away:
            await self._uses.note(standing)
        return replace(standing.who, age_s=known.age_s)

    def _is_over(self, standing: Standing) -> bool:
        return standing.until is not None and standing.until <= self._clock()


def _accounts(request: Request) -> Accounts:
    return cast(Accounts, request.app.state.gatekeeper)


AccountsOf = Annotated[Accounts, Depends(_accounts)]
"""Gives a route the accounts."""
