"""Tokens, keys and cookies that are forged, over, another's, or twice."""

import hmac
import json
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from random import Random
from typing import Any, Final

import jwt

from infra.lease import utc_now
from schemas.http.account import Role
from tests.hostile.kinds.targets import ALL, ALONE
from tests.hostile.request import Kind, Request, Site, http

_STRANGER: Final = (401,)
_CLOSED: Final = tuple(one for one in ALL if one.path.startswith("/api/") and "/auth/" not in one.path)


def _claims(site: Site, of: Role, /, **changed: Any) -> dict[str, Any]:
    """What a good token of a role says, but for what is changed; None: left out."""
    said = jwt.decode(site.tokens[of], options={"verify_signature": False})
    return {name: value for name, value in (said | changed).items() if value is not None}


def _with(site: Site, dice: Random, token: str | bytes, allowed: tuple[int, ...] = _STRANGER) -> Request:
    target = dice.choice(_CLOSED)
    sent = token if isinstance(token, bytes) else token.encode()
    path = target.at(dice.choice((*site.own, *site.theirs)))
    return http(target.method, path, [(b"Authorization", b"Bearer " + sent)], allowed=allowed)


def _part(content: Any) -> str:
    return urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def _signed(head: Any, claims: Any, secret: bytes) -> str:
    text = f"{_part(head)}.{_part(claims)}"
    return f"{text}.{urlsafe_b64encode(hmac.new(secret, text.encode(), sha256).digest()).decode().rstrip('=')}"


def unsigned(dice: Random, site: Site) -> Request:
    """``alg: none``, in any capitals, with and without something for a signature."""
    name = dice.choice(("none", "None", "NONE", "nOnE", "", None))
    claims = _claims(site, Role.ADMIN)
    return _with(site, dice, f"{_part({'alg': name, 'typ': 'JWT'})}.{_part(claims)}.{dice.choice(('', 'AA', '.'))}")


def other_algorithm(dice: Random, site: Site) -> Request:
    """The right secret under another algorithm's name, and other algorithms with it."""
    claims = _claims(site, Role.ADMIN)
    if dice.random() < 0.5:
        named = dice.choice(("RS256", "ES256", "PS256", "EdDSA", "hs256", "HS256\0", ["HS256"], {"$ne": 1}))
        return _with(site, dice, _signed({"alg": named, "typ": "JWT"}, claims, site.secret))
    return _with(site, dice, jwt.encode(claims, site.secret * 2, dice.choice(("HS384", "HS512"))))


def over(dice: Random, site: Site) -> Request:
    """Right in everything but its time."""
    past = int((utc_now() - timedelta(minutes=dice.randrange(1, 100_000))).timestamp())
    changed = dice.choice(
        ({"exp": past}, {"exp": None}, {"exp": "never"}, {"nbf": past * 2}, {"exp": -1}, {"iat": None})
    )
    return _with(site, dice, jwt_of(_claims(site, Role.ADMIN, **changed), site.secret))


def other_secret(dice: Random, site: Site) -> Request:
    """Signed with what is not the secret."""
    guess = dice.choice((b"secret" * 8, b"\0" * 32, site.secret[:-1] + b"!", site.secret + b"\n", b"changeme" * 8))
    return _with(site, dice, jwt_of(_claims(site, Role.ADMIN), guess))


def other_claims(dice: Random, site: Site) -> Request:
    """Signed well, and for somebody else's API, session or role, or none."""
    changed: dict[str, Any] = dice.choice(
        (
            {"aud": "other"},
            {"aud": None},
            {"iss": "https://evil.example"},
            {"sub": "hostile-nobody"},
            {"sub": {"$ne": None}},
            {"sub": None},
            {"sid": None},
            {"role": "root"},
            {"role": {"$ne": 1}},
            {"role": None},
            {"sid": _claims(site, Role.CUSTOMER)["sid"]},
        )
    )
    return _with(site, dice, jwt_of(_claims(site, Role.ADMIN, **changed), site.secret))


def no_session(dice: Random, site: Site) -> Request:
    """Signed well, of a session that never was. Where the store is too slow to be asked, the signature is believed."""
    sid: Any = dice.choice(("0" * 32, {"$gt": ""}, ["a"], "", "__proto__"))
    request = _with(site, dice, jwt_of(_claims(site, Role.CUSTOMER, sid=sid), site.secret))
    return replace(request, allowed=None)


def key_tricks(dice: Random, site: Site) -> Request:
    """Headers that say where to find the key."""
    head = {"alg": "HS256", "typ": "JWT"} | dice.choice(
        (
            {"kid": "../../../../../../dev/null"},
            {"kid": "x' UNION SELECT 'a"},
            {"kid": "|touch /tmp/owned"},
            {"jku": "http://203.0.113.7/jwks.json"},
            {"jwk": {"kty": "oct", "k": "AAAA"}},
            {"x5u": "http://203.0.113.7/cert.pem"},
            {"crit": ["exp"]},
            {"b64": False, "crit": ["b64"]},
            {"zip": "DEF"},
        )
    )
    return _with(site, dice, _signed(head, _claims(site, Role.ADMIN), dice.choice((b"", b"AAAA", b"\0"))))


def changed_in_place(dice: Random, site: Site) -> Request:
    """A good token with its role raised, cut, joined or with bits turned."""
    good = site.tokens[Role.CUSTOMER]
    head, claims, seal = good.split(".")
    raised = _part(_claims(site, Role.CUSTOMER, role="admin"))
    at = dice.randrange(len(head), len(good) - 2)
    turned = good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :]
    many = (
        f"{head}.{raised}.{seal}",
        f"{head}.{claims}",
        f"{head}..{seal}",
        good + "." + seal,
        good[::-1],
        turned,
        "...",
    )
    return _with(site, dice, dice.choice(many))


def raised(dice: Random, site: Site) -> Request:
    """Signed well, of a customer's session, with an admin's role: what counts is the role in the store."""
    path = dice.choice(
        ("/api/v1/users", "/api/v1/audit", "/api/v1/export", "/api/v1/figures", "/api/v1/review/progress")
    )
    token = jwt_of(_claims(site, Role.CUSTOMER, role="admin"), site.secret)
    return http("GET", path, [(b"Authorization", b"Bearer " + token.encode())], allowed=(403,))


def odd_keys(dice: Random, site: Site) -> Request:
    """API keys that are nearly right, or were."""
    good = site.keys[Role.ADMIN]
    mark, identity, secret = good.split("_", 2)
    at = dice.randrange(len(secret))
    near = f"{mark}_{identity}_{secret[:at]}{'A' if secret[at] != 'A' else 'B'}{secret[at + 1 :]}"
    other = f"{mark}_{site.keys[Role.CUSTOMER].split('_')[1]}_{secret}"
    odd = (
        f"{mark}_{identity}_",
        f"{mark}_{identity}_{secret[:at]}",
        f"{mark}_{identity}_{secret}{secret}",
        f"{mark}_*_{secret}",
    )
    return _with(
        site, dice, dice.choice((near, other, site.dead_key, *odd, good.upper(), f"{mark}_{'$ne' * 5}_{secret}"))
    )


def odd_credentials(dice: Random, site: Site) -> Request:
    """What is no bearer token at all."""
    good = site.tokens[Role.ADMIN].encode()
    sent = dice.choice(
        (
            b"Bearer",
            b"Bearer ",
            b"Bearer \xff\xfe\x00"[:9],
            b"Bearer " + "é漢".encode(),
            b"Bearer " + b"A" * 8_192,
            b"Basic " + b"YWRtaW46YWRtaW4=",
            b"Digest username=admin",
            b"Bearer, Bearer",
            b"token=" + good,
            b"Bearer Bearer " + good,
            b"Bearer " + good + b" " + good,
            b"Bearer null",
            b"Bearer {{token}}",
        )
    )
    path = dice.choice(ALONE).at(dice.choice(site.theirs))
    return http("GET", path, [(b"Authorization", sent)], allowed=(401, 404, 405))


def twice(dice: Random, site: Site) -> Request:
    """Two Authorization headers: only of one of them can it be the caller."""
    first, second = site.tokens[Role.CUSTOMER].encode(), site.tokens[Role.ADMIN].encode()[:-4] + b"AAAA"
    pair = [(b"Authorization", b"Bearer " + one) for one in dice.sample((first, second), 2)]
    return http("GET", dice.choice(("/api/v1/users", "/api/v1/audit")), pair, allowed=(401, 403))


def cookies(dice: Random, site: Site) -> Request:
    """The session's cookie where only a header counts, forged ones, and one that is fixed beforehand."""
    good = site.cookies[Role.ADMIN]
    identity, _, secret = good.partition(".")
    forged = dice.choice(
        (f"{identity}.", f"{identity}.{secret[:-1]}", f".{secret}", "a" * 32 + "." + "b" * 43, "{}", '"')
    )
    choice = dice.randrange(4)
    if choice == 0:
        target = dice.choice(_CLOSED)
        path = target.at(dice.choice(site.theirs))
        return http(target.method, path, [(b"Cookie", b"aisle_session=" + good.encode())], allowed=_STRANGER)
    sent = b"aisle_session=" + forged.encode()
    if choice == 1:
        return http("GET", dice.choice(("/users", "/audit", "/review", "/items")), [(b"Cookie", sent)], allowed=(303,))
    if choice == 2:
        return http("POST", "/api/v1/auth/refresh", [(b"Cookie", sent)], allowed=_STRANGER)
    pair = b"aisle_session=%s; aisle_session=%s" % (forged.encode(), b"x" * 2_000)
    return http("GET", "/users", [(b"Cookie", pair)], allowed=(303,))


def jwt_of(claims: dict[str, Any], secret: bytes) -> str:
    """A token, signed as ours are."""
    return _signed({"alg": "HS256", "typ": "JWT"}, claims, secret)


KINDS: Final[dict[str, Kind]] = {
    "token without signature": unsigned,
    "token of another algorithm": other_algorithm,
    "token that is over": over,
    "token of another secret": other_secret,
    "token of others": other_claims,
    "token of no session": no_session,
    "token that names its key": key_tricks,
    "token that was changed": changed_in_place,
    "token with a raised role": raised,
    "API key nearly right": odd_keys,
    "no bearer token": odd_credentials,
    "two tokens": twice,
    "cookies": cookies,
}
