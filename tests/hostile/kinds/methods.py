"""Methods that no route has."""

from random import Random
from typing import Final

from schemas.http.account import Role
from tests.hostile.kinds.targets import ALL, event
from tests.hostile.request import Kind, Request, Site, ask, http

_METHODS: Final = (
    *("TRACE", "TRACK", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "SEARCH", "PURGE", "LINK", "UNLINK"),
    *("get", "Post", "delete", "PUT", "OPTIONS", "HEAD", "CONNECT", "M-SEARCH", "QUERY", "DEBUG", "REPORT"),
    *("G" * 5_000, "GE\x00T", "<script>", "GET/", "\xff", "$where", "__proto__"),
)


def odd(dice: Random, site: Site) -> Request:
    """On a route that is there, in the role that has its right."""
    target = dice.choice(ALL)
    name = dice.choice([one for one in _METHODS if one != target.method])
    path = target.at(event(dice, site, target.role))
    if name == "HEAD":
        return http("HEAD", path, [site.bearer(dice, target.role)])
    return ask(site, dice, target.role, name, path, allowed=(400, 404, 405, 422))


def overridden(dice: Random, site: Site) -> Request:
    """One method that says to be another, by headers and queries that some frameworks believe."""
    theirs = dice.choice(site.theirs)
    names = (b"X-HTTP-Method-Override", b"X-HTTP-Method", b"X-Method-Override")
    path = f"/api/v1/items/{theirs}" + dice.choice(("", "?_method=DELETE"))
    method = dice.choice(("POST", "GET"))
    return ask(site, dice, Role.ADMIN, method, path, headers=[(dice.choice(names), b"DELETE")], allowed=(200, 405))


def pages(dice: Random, site: Site) -> Request:
    """Pages are read: none takes anything."""
    method = dice.choice(("POST", "PUT", "DELETE", "PATCH", "OPTIONS"))
    cookie = [(b"Cookie", b"aisle_session=" + site.cookies[Role.ADMIN].encode())]
    path = dice.choice(
        ("/users", "/audit", "/models", "/", "/review", "/static/base.css", "/health/live", "/metrics", "/docs")
    )
    return http(method, path, cookie, allowed=(307, 404, 405))


KINDS: Final[dict[str, Kind]] = {"odd methods": odd, "overridden methods": overridden, "methods of pages": pages}
