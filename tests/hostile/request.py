"""One hostile request: the bytes that are sent, and what may be answered."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from schemas.http.account import Role

Header = tuple[bytes, bytes]
UNSENT: Final = -1.0
"""A pause that says: hang up now."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent on a connection of its own.

    Args:
        parts: The bytes.
        pauses_s: Before which part (by its number) is waited how long; `UNSENT`: the caller hangs up there.
        allowed: The statuses that may be answered; None: any that is no server error.
        role: In which it is asked, for what may be read then; None: in none that is good.
        is_head: Whether answers have no body.
        patience_s: How long to wait for the first byte of an answer before the caller hangs up, where the gateway may
            rightly wait for more; None: it has to answer or hang up.
    """

    parts: tuple[bytes, ...]
    pauses_s: Mapping[int, float] = field(default_factory=dict)
    allowed: frozenset[int] | None = None
    role: Role | None = None
    is_head: bool = False
    patience_s: float | None = None


@dataclass(frozen=True)
class Site:
    """What an attacker may know of a gateway, and more.

    Args:
        port: Where it listens, on this machine.
        tokens: An access token of an account of each role.
        keys: An API key of each.
        cookies: A session of each.
        secret: What tokens are signed with: to forge those that fail for another reason.
        dead_key: An API key of an account that was deleted.
        own: Items of the customer's.
        theirs: Items of another's.
        letters: Dead letters.
    """

    port: int
    tokens: Mapping[Role, str]
    keys: Mapping[Role, str]
    cookies: Mapping[Role, str]
    secret: bytes
    dead_key: str
    own: Sequence[str]
    theirs: Sequence[str]
    letters: Sequence[str]

    def bearer(self, dice: Random, role: Role) -> Header:
        """The header of a caller: with a token or a key."""
        return b"Authorization", b"Bearer " + dice.choice((self.tokens, self.keys))[role].encode()


Kind = Callable[[Random, Site], Request]
"""Makes a request of a kind."""


def http(
    method: str | bytes,
    target: str | bytes,
    headers: Sequence[Header] = (),
    body: bytes = b"",
    *,
    allowed: Sequence[int] | None = None,
    role: Role | None = None,
) -> Request:
    """A request whose framing is right."""
    name, path = _bytes(method), _bytes(target)
    lines = [b"%s %s HTTP/1.1" % (name, path), b"Host: 127.0.0.1", b"Connection: close"]
    lines += [b"%s: %s" % header for header in headers]
    if body or name in (b"POST", b"PUT", b"PATCH"):
        lines.append(b"Content-Length: %d" % len(body))
    good = None if allowed is None else frozenset(allowed)
    whole = b"\r\n".join(lines) + b"\r\n\r\n"
    return Request((whole + body,), allowed=good, role=role, is_head=name == b"HEAD")


def ask(  # noqa: PLR0913 - a request has many parts
    site: Site,
    dice: Random,
    role: Role,
    method: str,
    target: str,
    content: Any = None,
    *,
    headers: Sequence[Header] = (),
    allowed: Sequence[int] | None = None,
) -> Request:
    """A call of somebody who is signed in, with JSON or bytes."""
    more = [site.bearer(dice, role), *headers]
    body = b""
    if isinstance(content, bytes):
        body = content
    elif content is not None:
        body = json.dumps(content).encode()
    if content is not None and not any(name.lower() == b"content-type" for name, _ in headers):
        more.append((b"Content-Type", b"application/json"))
    return http(method, target, more, body, allowed=allowed, role=role)


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
