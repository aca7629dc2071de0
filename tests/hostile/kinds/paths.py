"""Paths that mean another place than they seem to."""

# ruff: noqa: ARG001 - all kinds are called in the same way
from random import Random
from typing import Final
from urllib.parse import quote

from schemas.http.account import Role
from tests.hostile.payloads import ODD, SCRIPTS
from tests.hostile.request import Kind, Request, Site, ask, http

_UP: Final = (
    *(
        "../",
        "..%2f",
        "%2e%2e/",
        "%2e%2e%2f",
        "..%5c",
        "%252e%252e%252f",
        "..;/",
        "....//",
        "..%c0%af",
        "%c0%ae%c0%ae/",
    ),
    *("..%00/", "..%ff/", "\uff0e\uff0e/", "..%ef%bc%8f", ".%2e/", "..\\", "..//", "/./../"),
)
_FILES: Final = ("etc/passwd", "secrets/gateway.key", "proc/self/environ", "pyproject.toml", "workers/gateway/app.py")
_BASES: Final = (
    *("/static/", "/", "/api/v1/items/", "/models/", "/drift/2026-11-22/", "/api/v1/models/", "/api/v1/drift/reports/"),
    *("/items/", "/docs/", "/static/fonts/", "/api/v1/jobs/"),
)
_GOOD: Final = (
    "/api/v1/users",
    "/api/v1/audit",
    "/api/v1/items",
    "/api/v1/export",
    "/metrics",
    "/health/ready",
    "/users",
    "/audit",
)


def upwards(dice: Random, site: Site) -> Request:
    """Out of the folder that is served, to files of this machine."""
    up = dice.choice(_UP) * dice.randrange(1, 9)
    path = dice.choice(_BASES) + quote(up, safe="%/\\.;") + dice.choice(_FILES)
    if dice.random() < 0.3:
        return ask(site, dice, Role.ADMIN, "GET", path, allowed=(200, 303, 400, 401, 403, 404, 405, 422))
    return http("GET", path)


def around(dice: Random, site: Site) -> Request:
    """To a closed route by another name of it: as somebody whose role has not got the right, or nobody."""
    good = dice.choice(_GOOD[:2] + _GOOD[3:4] + _GOOD[6:])
    at = good.rfind("/")
    forms = (
        *(
            good + "/",
            good + "//",
            good + "/.",
            good + ";a=b",
            good + "%20",
            good + "%09",
            good + ".json",
            good + "%00",
        ),
        *(
            "/" + good,
            "//" + good[1:],
            good[:at] + "/./" + good[at + 1 :],
            good[:at] + "//" + good[at + 1 :],
            good.upper(),
        ),
        *(
            good[:at] + "/%" + f"{ord(good[at + 1]):02x}" + good[at + 2 :],
            good + "?a=b",
            good + "#a",
            good + "%23",
            good + "/../me",
        ),
        *("/static/.." + good, "/health/live/.." + good, "/api/v1/../v1" + good.removeprefix("/api/v1"), good + "%3f"),
    )
    if dice.random() < 0.5:
        return ask(
            site, dice, Role.CUSTOMER, "GET", dice.choice(forms), allowed=(303, 307, 400, 401, 403, 404, 405, 422)
        )
    return http("GET", dice.choice(forms), allowed=(303, 307, 400, 401, 403, 404, 405, 422))


def others(dice: Random, site: Site) -> Request:
    """What is another's, by every route that takes an id: it is not there."""
    theirs = dice.choice(site.theirs)
    form = dice.choice(
        ("/api/v1/items/{}", "/api/v1/items/{}/photo", "/api/v1/items/{}/explanation", "/api/v1/predictions/{}")
    )
    name = dice.choice(
        (theirs, theirs.upper(), theirs.replace("-", ""), f"%7b{theirs}%7d", f"urn:uuid:{theirs}", theirs + "%00")
    )
    return ask(site, dice, Role.CUSTOMER, "GET", form.format(name), allowed=(404, 405, 422))


def long(dice: Random, site: Site) -> Request:
    """Eight kilobytes of path, or many thousand folders."""
    path = dice.choice(
        ("/" + "a" * 8_192, "/" * 8_192, "/a" * 4_000, "/%00" * 2_000, "/api/v1/items/" + "%c3%28" * 1_000)
    )
    return ask(site, dice, dice.choice(tuple(Role)), "GET", path, allowed=(303, 307, 400, 404, 405, 422, 431))


def strange(dice: Random, site: Site) -> Request:
    """Texts in place of a path, and as what follows a page."""
    odd = quote(
        dice.choice((*ODD, *SCRIPTS))[:2_000].encode("utf-8", "surrogatepass"),
        safe="/:;=?&" if dice.random() < 0.5 else "",
    )
    base = dice.choice((*_BASES, "/sign-in?next=", "/welcome?token=", "/items?lang=", "/?lang="))
    return http("GET", base + odd)


def away(dice: Random, site: Site) -> Request:
    """A way back from the sign-in page that leads elsewhere."""
    there = dice.choice(
        (
            "//203.0.113.7/",
            "https://203.0.113.7/",
            "/\\203.0.113.7",
            "javascript:alert(1)",
            "/%09/203.0.113.7",
            "/%0d%0aX-Injected:%20y",
            "///203.0.113.7",
            "%2f%2f203.0.113.7",
            "/.//203.0.113.7",
            "data:text/html,a",
            "/%5c203.0.113.7",
            "\\\\203.0.113.7",
        )
    )
    headers = [] if dice.random() < 0.5 else [(b"Cookie", b"aisle_session=" + site.cookies[Role.CUSTOMER].encode())]
    return http("GET", f"/sign-in?next={there}", headers)


KINDS: Final[dict[str, Kind]] = {
    "paths upwards": upwards,
    "paths around a right": around,
    "paths to what is another's": others,
    "long paths": long,
    "strange paths": strange,
    "ways back": away,
}
