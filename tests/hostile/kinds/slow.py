"""Requests that take their time, to hold what others need."""

# ruff: noqa: ARG001 - all kinds are called in the same way
from random import Random
from typing import Final

from schemas.http.account import Role
from tests.hostile.request import Kind, Request, Site

_JSON: Final = b"Content-Type: application/json\r\n"


def bodies(dice: Random, site: Site) -> Request:
    """A body that drips, one that stops, and one that is announced and never comes: 408."""
    role = dice.choice((None, Role.CUSTOMER))
    who = b"" if role is None else b"Authorization: Bearer " + site.tokens[role].encode() + b"\r\n"
    path = dice.choice(
        (b"/api/v1/predictions", b"/api/v1/verdicts", b"/api/v1/auth/sign-in", b"/api/v1/predictions/bulk")
    )
    head = b"POST %b HTTP/1.1\r\nHost: a\r\n%b%b" % (path, who, _JSON)
    announced = head + b"Content-Length: 5000\r\n\r\n"
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n"
    parts = dice.choice(
        ((announced,), (announced, *[b"a"] * 60), (chunked, *[b"1\r\na\r\n"] * 60), (announced, b"a" * 2_000))
    )
    return Request(
        parts, dict.fromkeys(range(1, len(parts)), 0.25), allowed=frozenset({401, 403, 404, 408, 422}), role=role
    )


def heads(dice: Random, site: Site) -> Request:
    """A head that drips, or stops: the connection ends."""
    parts = dice.choice(((b"GET / HT",), (b"GET / HTTP/1.1\r\n", *[b"X: y\r\n"] * 30), (b"",), tuple([b"G"] * 30)))
    return Request(parts, dict.fromkeys(range(1, len(parts)), 1.0), allowed=frozenset({400, 408, 431}))


KINDS: Final[dict[str, Kind]] = {"slow bodies": bodies}
SLOWEST: Final[dict[str, Kind]] = {"slow heads": heads}
