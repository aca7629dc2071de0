"""Headers that carry others within, lie about the caller, or are odd, many or long."""

# ruff: noqa: ARG001 - all kinds are called in the same way
from dataclasses import replace
from random import Random
from typing import Final

from schemas.http.account import Role
from schemas.limits import KIB
from tests.hostile.kinds.targets import READS, event
from tests.hostile.payloads import SCRIPTS, text
from tests.hostile.request import Header, Kind, Request, Site, ask, http

_INJECTED: Final = (
    b"%0d%0aX-Injected: yes",
    b"a\rX-Injected: yes",
    b"a\nX-Injected: yes",
    b"a\r\n X-Injected: yes",
    b"\xe5\x98\x8a\xe5\x98\x8dX-Injected: yes",
    b"a\x0bX-Injected: yes",
    b"a\x00X-Injected: yes",
    b"a\xe2\x80\xa8X-Injected: yes",
    b"a%E5%98%8A%E5%98%8DSet-Cookie: injected=1",
    b"a\nSet-Cookie: injected=1\n\n<script>window.canaried=1</script>",
)
_ECHOED: Final = (
    b"X-Request-ID",
    b"Origin",
    b"Accept-Language",
    b"User-Agent",
    b"Idempotency-Key",
    b"If-None-Match",
    b"Range",
)


def _get(dice: Random, site: Site, *headers: Header) -> Request:
    target = dice.choice(READS)
    return ask(site, dice, target.role, "GET", target.at(event(dice, site, target.role)), headers=headers)


def injected(dice: Random, site: Site) -> Request:
    """A header within a header, in those whose value an answer has, and in what becomes a place."""
    if dice.random() < 0.5:
        return _get(dice, site, (dice.choice(_ECHOED), dice.choice(_INJECTED)))
    odd = dice.choice(("%0d%0aX-Injected:%20yes", "%0aX-Injected:yes", "%e5%98%8a%e5%98%8dX-Injected:yes", "%00%0d%0a"))
    return http(
        "GET", dice.choice(("/items?x={}", "/sign-in?next=/{}", "/items/{}", "/?lang={}", "/static/{}")).format(odd)
    )


def idempotency(dice: Random, site: Site) -> Request:
    """Keys that are empty, long, not ASCII, twice, or another's."""
    key = dice.choice(
        (
            b"",
            b" ",
            b"a b",
            b"\xff",
            b"a" * 201,
            b"a" * 10000,
            b"\x7f",
            b'{"$ne":1}',
            b"../a",
            b"'",
            b"a,b",
            "é".encode(),
            b"same",
        )
    )
    headers = [(b"Idempotency-Key", key)] * dice.choice((1, 2))
    path, body, role = dice.choice(
        (
            ("/api/v1/predictions", {"title": text(dice)[:900] + "."}, Role.CUSTOMER),
            ("/api/v1/verdicts", {"verdicts": [{"event_id": site.own[0], "verdict": "validated"}]}, Role.REVIEWER),
        )
    )
    return ask(site, dice, role, "POST", path, body, headers=headers)


def negotiated(dice: Random, site: Site) -> Request:
    """What a caller says that it reads and has."""
    header = dice.choice(
        (
            (b"Accept", b"*/*;q=" + b"9" * 500),
            (b"Accept", b"text/html;" * 500),
            (b"Accept-Language", b"fr;q=NaN, en;q=1e999, " + b"a-" * 2_000),
            (b"Accept-Language", b";;;,,,=="),
            (b"Accept-Language", b"../../etc/passwd"),
            (b"Accept-Language", SCRIPTS[0].encode()),
            (b"Accept-Encoding", b"gzip;q=-1, br;q=x"),
            (b"Range", b"bytes=0-" + b",0-" * 2_000),
            (b"Range", b"bytes=-9999999999999999999"),
            (b"If-None-Match", b'W/"a", ' * 2_000),
            (b"If-None-Match", b"*"),
            (b"If-Modified-Since", b"Thu, 99 Foo 99999 99:99:99 GMT"),
            (b"If-Range", b"\xff"),
            (b"Cookie", b"aisle_language=../../x; aisle_theme=<b>; ; =; a=" + b"b" * 4_000),
            (b"Cookie", b'aisle_lang="\\074script\\076"; aisle_theme=\xff'),
            (b"Expect", b"100-continue"),
            (b"Expect", b"200-ok"),
            (b"Sec-Fetch-Site", b"cross-site"),
            (b"Content-Type", b"\xff/\xff"),
            (b"Content-Length", b"0"),
        )
    )
    path = dice.choice(
        ("/static/base.css", "/sign-in", "/docs", "/api/v1/taxonomy", "/api/v1/openapi.json", "/nowhere")
    )
    return http("GET", path, [header])


def whose(dice: Random, site: Site) -> Request:
    """Who is asked, by whom and from where: of another's making."""
    there = dice.choice(
        (b"evil.example", b"127.0.0.1:1", b"a" * 5_000, b"<script>", b"[::1", b"a b", b"evil.example\t", b"", b"\xff")
    )
    headers: list[Header] = [
        (name, there)
        for name in dice.sample(
            (
                b"X-Forwarded-Host",
                b"X-Forwarded-For",
                b"X-Forwarded-Proto",
                b"X-Real-IP",
                b"Forwarded",
                b"X-Original-URL",
                b"X-Rewrite-URL",
                b"X-HTTP-Method-Override",
                b"X-Forwarded-Prefix",
                b"True-Client-IP",
                b"X-Host",
            ),
            3,
        )
    ]
    path = dice.choice(("/sign-in", "/users", "/static/base.css/", "/api/v1/users/", "/api/v1/users", "/", "/nowhere"))
    method = "POST" if dice.random() < 0.2 else "GET"
    request = http(method, path if method == "GET" else "/api/v1/auth/refresh", headers)
    host = b"Host: " + (there if dice.random() < 0.7 else b"127.0.0.1")
    asked = request.parts[0].replace(b"Host: 127.0.0.1", host, 1)
    return replace(request, parts=(asked,), allowed=frozenset({200, 303, 400, 401, 403, 404}))


def other_sites(dice: Random, site: Site) -> Request:
    """A page of another site makes the browser ask with its cookie."""
    origin = dice.choice(
        (b"https://evil.example", b"null", b"http://127.0.0.1.evil.example", b"file://", b"", b"http://[", b"\xff")
    )
    headers = [(b"Origin", origin), (b"Cookie", b"aisle_session=" + site.cookies[Role.REVIEWER].encode())]
    if dice.random() < 0.3:
        headers[0] = (b"Sec-Fetch-Site", b"cross-site")
    path = dice.choice(("/api/v1/auth/refresh", "/api/v1/auth/sign-out"))
    return http("POST", path, headers, allowed=(403,))


def across(dice: Random, site: Site) -> Request:
    """Asking beforehand whether a page of another site may call: none may."""
    headers = [
        (b"Origin", b"https://evil.example"),
        (b"Access-Control-Request-Method", dice.choice((b"DELETE", b"POST", b"*", b"\xff"))),
        (b"Access-Control-Request-Headers", b"authorization"),
    ]
    return http(
        "OPTIONS", dice.choice(("/api/v1/users", "/api/v1/auth/refresh", "/", "*")), headers, allowed=(400, 404, 405)
    )


def long(dice: Random, site: Site) -> Request:
    """More in the head than it may have."""
    pad = b"a" * (dice.choice((8, 40, 70, 300)) * KIB)
    header = dice.choice(((b"X-Pad", pad), (pad, b"a"), (b"Cookie", b"a=" + pad), (b"Authorization", b"Bearer " + pad)))
    return http("GET", "/api/v1/me", [header], allowed=(400, 401, 431))


def many(dice: Random, site: Site) -> Request:
    """Thousands of headers, also of the same name."""
    same = dice.random() < 0.5
    count = dice.choice((100, 1_000, 3_000))
    return http(
        "GET", "/api/v1/me", [(b"X" if same else b"X-%d" % at, b"a") for at in range(count)], allowed=(400, 401, 431)
    )


KINDS: Final[dict[str, Kind]] = {
    "header injection": injected,
    "odd Idempotency-Key": idempotency,
    "odd negotiation": negotiated,
    "Host and Forwarded": whose,
    "cross-site": other_sites,
    "preflight": across,
    "long head": long,
    "many headers": many,
}
