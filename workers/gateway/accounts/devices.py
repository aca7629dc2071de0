"""Browsers in which somebody has signed in before, by a cookie of theirs; and where a password comes from."""

import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final

from workers.gateway.accounts.addresses import network_of
from workers.gateway.accounts.lockout import Source

_FORM: Final = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{64})", re.ASCII)
_ID_CHARS: Final = 32


@dataclass(frozen=True, slots=True)
class Caller:
    """Who wants in.

    Args:
        address: From where.
        device: The browser's cookie, if it has one.
        agent: What the browser says of itself.
        request_id: Of the request.
    """

    address: str
    device: str | None = None
    agent: str = ""
    request_id: str | None = None


class Devices:
    """Tells browsers and addresses apart for one account, without keeping anything by which they are found elsewhere.

    Args:
        secret: Known to all gateways.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def source(self, name: str, caller: Caller) -> Source:
        """Where a caller's password for an account comes from."""
        address = self._id("address", name, network_of(caller.address))
        nonce = self._nonce(name, caller.device)
        if nonce is None:
            return Source(address, address, trusted=False)
        return self._trusted("device", name, nonce, address)

    def of_session(self, name: str, session: str) -> Source:
        """Where the password of somebody who is signed in comes from: wherever that is, the session counts."""
        return self._trusted("session", name, session, "")

    def cookie(self, name: str, caller: Caller) -> str:
        """The cookie of a browser in which somebody has signed in: the one that it has, else a new one."""
        nonce = self._nonce(name, caller.device) or secrets.token_hex(16)
        return f"{nonce}.{self._mac('cookie', name, nonce)}"

    def _nonce(self, name: str, cookie: str | None) -> str | None:
        found = None if cookie is None else _FORM.fullmatch(cookie)
        good = found is not None and hmac.compare_digest(found[2], self._mac("cookie", name, found[1]))
        return found[1] if found is not None and good else None

    def _trusted(self, kind: str, name: str, own: str, address: str) -> Source:
        return Source(self._id(kind, name, own), address, trusted=True)

    def _id(self, kind: str, name: str, own: str) -> str:
        return self._mac(kind, name, own)[:_ID_CHARS]

    def _mac(self, kind: str, name: str, own: str) -> str:
        return hmac.digest(self._secret, f"device\n{kind}\n{name}\n{own}".encode(), "sha256").hex()
