"""Bytes that are hardly HTTP: two requests in one, lengths that lie, chunks that do not end."""

# ruff: noqa: ARG001 - all kinds are called in the same way
from random import Random
from typing import Final

from schemas.http.account import Role
from tests.hostile.request import UNSENT, Kind, Request, Site

_BRIEF_S: Final = 1.0
_SECOND: Final = b"GET /api/v1/audit HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
_PREDICT: Final = b"POST /api/v1/predictions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"

_UPGRADE: Final = b"GET /api/v1/live HTTP/1.1\r\nHost: a\r\nUpgrade: %b\r\nConnection: Upgrade\r\n%b\r\n\r\n"


def _raw(
    *parts: bytes, waits: bool = True, allowed: tuple[int, ...] | None = None, role: Role | None = None
) -> Request:
    """Bytes; with ``waits`` the gateway may rightly wait for more, and is hung up on."""
    good = None if allowed is None else frozenset(allowed)
    return Request(parts, allowed=good, role=role, patience_s=_BRIEF_S if waits else None)


def smuggled(dice: Random, site: Site) -> Request:
    """Two lengths: a proxy would see one request where the gateway sees two. The second is nobody's."""
    who = b"Authorization: Bearer " + site.tokens[Role.CUSTOMER].encode() + b"\r\n"
    chunked = dice.choice(
        (
            b"Transfer-Encoding: chunked",
            b"Transfer-Encoding : chunked",
            b"Transfer-Encoding: xchunked",
            b"Transfer-Encoding:\x0bchunked",
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            b"Transfer-Encoding: identity, chunked",
            b"X: y\nTransfer-Encoding: chunked",
            b"Transfer-Encoding:\r\n chunked",
            b"tRANSFER-eNCODING: CHUNKED",
            b"Transfer-Encoding: chunked, chunked",
        )
    )
    length = dice.choice((b"Content-Length: 4", b"Content-Length: 0", b"Content-Length: 4\r\nContent-Length: 5"))
    return _raw(
        _PREDICT + who + length + b"\r\n" + chunked + b"\r\n\r\n0\r\n\r\n" + _SECOND, allowed=(400, 401, 403, 422)
    )


def lengths(dice: Random, site: Site) -> Request:
    """Lengths that are negative, twice, huge, or no number."""
    length = dice.choice(
        (
            b"-1",
            b"+5",
            b"5, 5",
            b"5\r\nContent-Length: 6",
            b"99999999999999999999999",
            b"0x5",
            b"5 5",
            b"",
            b"1e3",
            b"\xb2",
            b"five",
            b"18446744073709551616",
            b"2147483648",
            b"0005",
            b"5\x0b",
        )
    )
    return _raw(
        _PREDICT + b"Content-Length: " + length + b"\r\n\r\n" + b"hello" + _SECOND, allowed=(400, 401, 413, 422, 431)
    )


def chunks(dice: Random, site: Site) -> Request:
    """Chunks of odd and endless sizes, with endless remarks and trailers, cut off."""
    body = dice.choice(
        (
            b"ffffffffffffffffff\r\na\r\n0\r\n\r\n",
            b"-5\r\nhello\r\n0\r\n\r\n",
            b"5\r\nhel",
            b"5\r\nhello worlds\r\n0\r\n\r\n",
            b"5;" + b"a" * 50_000 + b"\r\nhello\r\n0\r\n\r\n",
            b"0x5\r\nhello\r\n0\r\n\r\n",
            b"5\nhello\n0\n\n",
            b"0\r\n" + b"X: y\r\n" * 5_000 + b"\r\n",
            b"0\r\nAuthorization: Bearer a\r\nX-Injected: yes\r\n\r\n",
            b"1\r\na\r\n" * 20_000 + b"0\r\n\r\n",
            b"0" * 20_000 + b"5\r\nhello\r\n0\r\n\r\n",
            b"\r\n",
        )
    )
    who = b"Authorization: Bearer " + site.tokens[Role.CUSTOMER].encode() + b"\r\n"
    return _raw(_PREDICT + who + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + body)


def strange_heads(dice: Random, site: Site) -> Request:
    """Lines that no head has."""
    head = dice.choice(
        (
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            b"GET / HTTP/1.1\nHost: a\n\n",
            b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n X: folded\r\n\r\n",
            b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
            b"GET / HTTP/1.1\r\n: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nX\x00Y: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nX: \x00\r\n\r\n",
            b"GET / HTTP/1.1\rHost: a\r\r",
            b"GET  /  HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET http://evil.example/users HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET https://user:pw@a:99999/ HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET users HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET ?a HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET  HTTP/1.1\r\nHost: a\r\n\r\n",
            b"CONNECT evil.example:443 HTTP/1.1\r\nHost: a\r\n\r\n",
            b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
            b"\r\n" * 2_000 + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        )
    )
    return _raw(head)


def versions(dice: Random, site: Site) -> Request:
    """HTTP of other versions, and other protocols."""
    first = dice.choice(
        (
            b"GET /health/live HTTP/1.0\r\n\r\n",
            b"GET /health/live HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            b"GET /health/live\r\n",
            b"GET /health/live HTTP/9.9\r\n\r\n",
            b"GET /health/live HTTP/2.0\r\n\r\n",
            b"GET /health/live HTTP/1.1.1\r\n\r\n",
            b"GET /health/live http/1.1\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9),
            _UPGRADE % (b"h2c", b"HTTP2-Settings: AAAA"),
            _UPGRADE % (b"websocket", b"Sec-WebSocket-Key: AAAA"),
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + dice.randbytes(200),
            b"SSH-2.0-OpenSSH_9.0\r\n",
            b"\x3a\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xd4\x07\x00\x00admin.$cmd\x00" + bytes(20),
            b"EHLO evil.example\r\n",
            dice.randbytes(dice.randrange(1, 5_000)),
        )
    )
    return _raw(first)


def pipelined(dice: Random, site: Site) -> Request:
    """Many requests at once, good ones and bad."""
    one = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"
    bad = dice.choice(
        (
            b"GET /api/v1/users HTTP/1.1\r\nHost: a\r\n\r\n",
            b"\x00\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n",
        )
    )
    return _raw(one * dice.randrange(1, 60) + bad + one * dice.randrange(30))


def dropped(dice: Random, site: Site) -> Request:
    """A caller who hangs up in the middle, before the answer, or having read none of it."""
    who = b"Authorization: Bearer " + site.tokens[Role.REVIEWER].encode() + b"\r\n"
    export = b"GET /api/v1/export?format=csv HTTP/1.1\r\nHost: a\r\n" + who + b"\r\n"
    live = b"GET /api/v1/live HTTP/1.1\r\nHost: a\r\n" + who + b"\r\n"
    first = dice.choice(
        (
            b"GET /api/v1/ite",
            export,
            live,
            _PREDICT + who + b"Content-Length: 100000\r\n\r\n" + b'{"title":"',
            _PREDICT + who + b'Content-Length: 13\r\n\r\n{"title":"a"}',
            _PREDICT + who + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhe",
        )
    )
    pauses_s = {1: dice.choice((0.001, 0.02, 0.2)), 2: UNSENT}
    return Request((first, b"", b""), pauses_s, role=Role.REVIEWER, patience_s=_BRIEF_S / 2)


KINDS: Final[dict[str, Kind]] = {
    "smuggling": smuggled,
    "lengths that lie": lengths,
    "chunks": chunks,
    "strange heads": strange_heads,
    "other versions": versions,
    "pipelining": pipelined,
    "hanging up": dropped,
}
