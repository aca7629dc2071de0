"""Bodies that are no JSON, too deep, too long, in another encoding, or compressed."""

# ruff: noqa: ARG001 - all kinds are called in the same way
import gzip
import json
from random import Random
from typing import Final

from schemas.http.account import Role
from schemas.limits import KIB, MIB
from tests.hostile.kinds.targets import WRITES, event, filled
from tests.hostile.payloads import text
from tests.hostile.request import Header, Kind, Request, Site, ask, http

_PRODUCTS: Final = "/api/v1/predictions"
_REFUSED: Final = (400, 401, 403, 408, 409, 413, 415, 422, 429)


def _sent(
    dice: Random, site: Site, body: bytes, kind: bytes = b"application/json", headers: tuple[Header, ...] = ()
) -> Request:
    target = dice.choice(WRITES)
    more = ((b"Content-Type", kind), *headers)
    return ask(site, dice, target.role, target.method, target.path, body, headers=more)


def deep(dice: Random, site: Site) -> Request:
    """Lists and objects ten thousand deep, also within a field."""
    levels = dice.choice((1_000, 10_000, 100_000))
    opened, closed = dice.choice(
        ((b"[", b"]"), (b'{"a":', b"1}"), (b'{"title":', b"1}"), (b'{"attributes":{"a":', b"1}}"))
    )
    body = opened * levels + closed * dice.choice((0, levels))
    return _sent(
        dice, site, dice.choice((body, b'{"title":' + body + b"}", b'{"title":"a","attributes":{"a":' + body + b"}}"))
    )


def numbers(dice: Random, site: Site) -> Request:
    """Numbers that are none, or as long as a book."""
    number = dice.choice(
        (
            b"1e999",
            b"-1e999",
            b"NaN",
            b"Infinity",
            b"-Infinity",
            b"0x10",
            b"01",
            b"1.",
            b".5",
            b"1e",
            b"--1",
            b"+1",
            b"9" * 5000,
            b"1" + b"0" * 100000,
            b"1e-400",
            b"0." + b"0" * 10000 + b"1",
            b"-0",
        )
    )
    role, path, body = dice.choice(
        (
            (Role.CUSTOMER, _PRODUCTS, b'{"title":"a","attributes":{"n":%b}}'),
            (Role.CUSTOMER, _PRODUCTS, b'{"title":"a","product_id":%b}'),
            (Role.REVIEWER, "/api/v1/review/next", b'{"count":%b}'),
            (Role.CUSTOMER, "/api/v1/me/keys", b'{"name":"n","days":%b}'),
            (Role.ADMIN, "/api/v1/dead-letters/drop", b'{"filter":{"product_id":"none"},"limit":%b}'),
        )
    )
    return ask(site, dice, role, "POST", path, body % number)


def strange_json(dice: Random, site: Site) -> Request:
    """Names twice, a byte order mark, lone surrogates, NUL, comments, what stands behind the end."""
    body = dice.choice(
        (
            b'{"title":"a","title":{"$ne":1},"title":"b"}',
            b'\xef\xbb\xbf{"title":"a"}',
            b'{"title":"\\ud800"}',
            b'{"title":"\\udfff\\ud800x"}',
            b'{"title":"\\u0000"}',
            b'{"title":"a\x00b"}',
            b'{"title":"\xc3\x28\xff"}',
            b'{"title":"\xed\xa0\x80"}',
            b'{"title":"a"} {"title":"b"}',
            b'{"title":"a",}',
            b'{/* */"title":"a"}',
            b"{'title':'a'}",
            b'{"title":"a"',
            b'{"ti\\u0074le":"a","\\u0000":1}',
            b"",
            b"null",
            b"[]",
            b'"title"',
            b"\x00",
            b" " * 60_000,
            b'{"title":"' + b"\\u0041" * 10_000 + b'"}',
            b'{"a":1,' * 5_000,
        )
    )
    return _sent(dice, site, body)


def other_encodings(dice: Random, site: Site) -> Request:
    """UTF-16, UTF-7 and what a charset says, true or not."""
    content = json.dumps({"title": text(dice)[:200]}, ensure_ascii=False)
    encoding = dice.choice(("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-7", "cp037", "utf-8"))
    said = dice.choice(
        (b"utf-16", b"utf-7", b"../../etc", b"idna", b"hex", b"zlib", b"x" * 5_000, b"utf-8;charset=utf-16")
    )
    body = content.encode(encoding, "replace")
    return _sent(dice, site, body, b"application/json; charset=" + said)


def other_types(dice: Random, site: Site) -> Request:
    """A body that says to be another thing than it is, or nothing that is known."""
    target = dice.choice(WRITES)
    body = json.dumps(filled(target.body, event(dice, site, target.role))).encode()
    kind = dice.choice(
        (
            b"text/plain",
            b"text/html",
            b"application/xml",
            b"application/x-www-form-urlencoded",
            b"multipart/form-data",
            b"",
            b"/",
            b"application/json, text/html",
            b"application/bson",
            b"application/x-pickle",
            b"a" * 4000,
            b"application/vnd.api+json",
            b"application/json;" * 200,
            b"multipart/form-data; boundary=",
        )
    )
    return _sent(dice, site, body, kind)


def xml(dice: Random, site: Site) -> Request:
    """Entities that grow, or name a file."""
    laughs = b"".join(b'<!ENTITY l%d "%b">' % (number, b"&l%d;" % (number - 1) * 10) for number in range(1, 10))
    entity = b'<!ENTITY x SYSTEM "file:///etc/passwd">'
    body = b"<!DOCTYPE r [" + dice.choice((laughs, entity)) + b"]><r><title>&l9;&x;</title></r>"
    return _sent(dice, site, body, dice.choice((b"application/xml", b"application/json", b"text/xml")))


def compressed(dice: Random, site: Site) -> Request:
    """Ten megabytes in ten kilobytes; nothing here unpacks a body."""
    body = gzip.compress(b'{"title":"' + b"a" * (10 * MIB) + b'"}')
    encoding = dice.choice((b"gzip", b"deflate", b"br", b"zstd", b"gzip, gzip", b"identity, gzip"))
    return _sent(dice, site, body, headers=((b"Content-Encoding", encoding),))


def noise(dice: Random, site: Site) -> Request:
    """Bytes at random."""
    return _sent(
        dice, site, dice.randbytes(dice.randrange(1, 20_000)), dice.choice((b"application/json", b"image/png"))
    )


def huge(dice: Random, site: Site) -> Request:
    """Longer than the path allows."""
    length, path = dice.choice(
        (
            (65 * KIB, "/api/v1/auth/sign-in"),
            (65 * KIB, "/api/v1/me/keys"),
            (65 * KIB, "/api/v1/users"),
            (2 * MIB + 1, "/api/v1/verdicts"),
            (2 * MIB + 1, "/api/v1/review/next"),
            (2 * MIB + 1, "/api/v1/dead-letters/drop"),
            (33 * MIB, _PRODUCTS),
        )
    )
    body = b'{"name":"' + b"a" * length + b'"}'
    return ask(site, dice, Role.ADMIN, "POST", path, body, allowed=(413,))


def huge_of_nobody(dice: Random, site: Site) -> Request:
    """Megabytes of somebody without an account, or with one that is made up."""
    headers = dice.choice(([], [(b"Authorization", b"Bearer nobody")], [(b"Authorization", b"Bearer aisle_0_0")]))
    path = dice.choice((_PRODUCTS, f"{_PRODUCTS}/upload", f"{_PRODUCTS}/bulk", "/api/v1/verdicts", "/nowhere"))
    length = dice.choice((100 * KIB, 3 * MIB, 8 * MIB))
    return http(
        "POST", path, [*headers, (b"Content-Type", b"application/json")], b"[" * length, allowed=(*_REFUSED, 404)
    )


def large(dice: Random, site: Site) -> Request:
    """As long as it may be, and nothing that can be used."""
    length = dice.choice((MIB, 4 * MIB, 16 * MIB))
    body = dice.choice(
        (
            b'{"title":"' + b"a" * length + b'"}',
            b'{"title":"a","image":{"base64":"' + b"A" * length + b'"}}',
            b'{"title":"a","attributes":{"a":[' + b"1," * (length // 2) + b"1]}}",
            b"[" + b"{}," * (length // 3) + b"{}]",
        )
    )
    return ask(site, dice, Role.CUSTOMER, "POST", _PRODUCTS, body, allowed=_REFUSED)


KINDS: Final[dict[str, Kind]] = {
    "deep JSON": deep,
    "numbers": numbers,
    "strange JSON": strange_json,
    "other encodings": other_encodings,
    "other media types": other_types,
    "XML": xml,
    "compressed body": compressed,
    "noise": noise,
}
HEAVY: Final[dict[str, Kind]] = {"huge body": huge, "huge body of nobody": huge_of_nobody, "large body": large}
