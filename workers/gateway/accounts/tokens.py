"""Access tokens: JSON Web Tokens (RFC 7519), signed with HMAC-SHA256, good for minutes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt

from infra.lease import Clock, utc_now
from schemas.http.account import Role

_ALGORITHM: Final = "HS256"  # the only one that is read, whatever a token's header says
_ISSUER: Final = "aisle"
_AUDIENCE: Final = "aisle-api"
_CLAIMS: Final = ("iss", "aud", "exp", "iat", "sub", "sid", "role", "seen")
_LEEWAY_S: Final = 10  # the clocks of several gateways differ by less


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says.

    Args:
        name: The account's name.
        session: The session that the token ends with.
        role: The role when it was made; counts only where the store cannot be asked.
        seen: When the store was asked for that.
    """

    name: str
    session: str
    role: Role
    seen: datetime


class Tokens:
    """Makes and reads access tokens.

    Args:
        secret: What they are signed with, at least 32 bytes.
        minutes: How long they are good for.
        clock: Tells the time when one is made.
    """

    def __init__(self, secret: bytes, minutes: float, clock: Clock = utc_now) -> None:
        self._secret = secret
        self.lasts = timedelta(minutes=minutes)
        self._clock = clock

    def make(self, claims: Claims) -> str:
        """A token that says so."""
        now = self._clock()
        said: dict[str, Any] = {"iss": _ISSUER, "aud": _AUDIENCE, "iat": now, "exp": now + self.lasts}
        said |= {"sub": claims.name, "sid": claims.session, "role": claims.role.value, "seen": claims.seen.timestamp()}
        return jwt.encode(said, self._secret, _ALGORITHM)

    def read(self, token: str) -> Claims | None:
        """What a token says; None if it is not ours, or not good any more."""
        try:
            said = jwt.decode(
                token,
                self._secret,
                [_ALGORITHM],
                {"require": list(_CLAIMS), "verify_iat": False},
                audience=_AUDIENCE,
                issuer=_ISSUER,
                leeway=_LEEWAY_S,
            )
            seen = datetime.fromtimestamp(float(said["seen"]), UTC)
            return Claims(str(said["sub"]), str(said["sid"]), Role(said["role"]), seen)
        except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError, OSError):
            return None
