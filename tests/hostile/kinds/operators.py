"""Queries and updates of a document store, and texts of all kinds, in every field, name and query."""

from copy import deepcopy
from random import Random
from typing import Any, Final
from urllib.parse import quote, quote_plus

from schemas.http.account import Role
from tests.hostile.kinds.targets import ALONE, READS, WRITES, event, filled
from tests.hostile.payloads import ODD, OPERATORS, REGEXES, text, value
from tests.hostile.request import Kind, Request, Site, ask


def _places(body: Any, so_far: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every field of a body."""
    inside = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    return [so_far] * bool(so_far) + [way for name, part in inside for way in _places(part, (*so_far, name))]


def _put(body: Any, way: tuple[Any, ...], given: Any) -> Any:
    whole = deepcopy(body)
    part = whole
    for name in way[:-1]:
        part = part[name]
    part[way[-1]] = given
    return whole


def _write(dice: Random, site: Site, given: Any, allowed: tuple[int, ...] | None) -> Request:
    target = dice.choice(WRITES)
    body = filled(target.body, event(dice, site, target.role))
    ways = [way for way in _places(body) if way[0] != "attributes"]  # these may be lists, and have any names
    changed = _put(body, dice.choice(ways), given)
    return ask(site, dice, target.role, target.method, target.path, changed, allowed=allowed)


def in_fields(dice: Random, site: Site) -> Request:
    """An operator in place of a field: a strict model takes none."""
    return _write(dice, site, dice.choice(OPERATORS), (401, 403, 409, 422, 429))


def other_values(dice: Random, site: Site) -> Request:
    """Anything in place of a field."""
    return _write(dice, site, value(dice), None)


def as_names(dice: Random, site: Site) -> Request:
    """An operator beside the fields."""
    target = dice.choice(WRITES)
    name = dice.choice(
        ("$where", "$set", "a.b", "__proto__", "_id", "password.$ne", "constructor", "", "\0", "x" * 5_000)
    )
    body = filled(target.body, event(dice, site, target.role)) | {name: value(dice)}
    return ask(site, dice, target.role, target.method, target.path, body, allowed=(401, 403, 409, 422, 429))


def in_attributes(dice: Random, site: Site) -> Request:
    """The one place where callers choose names: they become values in the store."""
    names = dice.sample(("$where", "$set", "a.b", "__proto__", "_id", "$", ".", "constructor", "a\u0000b", "<b>"), 3)
    body = {"title": "Lampe", "attributes": {name: text(dice)[:500] for name in names}}
    return ask(site, dice, Role.CUSTOMER, "POST", "/api/v1/predictions", body)


def in_queries(dice: Random, site: Site) -> Request:
    """In the query, as frameworks of other languages read it and as plain values."""
    target = dice.choice(READS)
    path = target.at(event(dice, site, target.role))
    pairs = []
    for _ in range(dice.randrange(1, 5)):
        name = dice.choice(target.query)
        form = dice.choice(
            ("{}", "{}[$gt]", "{}[$ne]", "{}[]", "{}[$regex]", "$where", "{}.$in", "{}%00", "{}[__proto__]")
        )
        given = dice.choice(
            (text(dice)[:2_000], str(dice.choice(OPERATORS)), dice.choice(REGEXES), "-1", "1e999", "NaN")
        )
        pairs.append(f"{quote_plus(form.format(name), safe='%')}={quote_plus(given.encode('utf-8', 'surrogatepass'))}")
    return ask(site, dice, target.role, "GET", f"{path}?{'&'.join(pairs)}")


def repeated(dice: Random, site: Site) -> Request:
    """The same name hundreds of times, long cursors, and cursors of other lists."""
    target = dice.choice(READS)
    path = target.at(event(dice, site, target.role))
    name = dice.choice(target.query)
    odd = (
        "A" * 4_000,
        "W10",
        "WzFd",
        "WyJhIl0",
        "WzFlOTk5XQ",
        "W3siJGd0IjoiIn1d",
        "WzEsMiwzXQ",
        "W251bGxd",
        "////",
        "%ff",
    )
    query = dice.choice((f"{name}=1&" * 400, f"cursor={dice.choice(odd)}", "&" * 3_000, "=&=" * 500, "a" * 8_000))
    return ask(site, dice, target.role, "GET", f"{path}?{query}")


def in_paths(dice: Random, site: Site) -> Request:
    """In place of an id."""
    target = dice.choice([one for one in ALONE if "{event}" in one.path or "nobody" in one.path])
    given = quote(
        dice.choice((*ODD[:12], *REGEXES, '{"$ne":null}', "[$ne]", "*")).encode("utf-8", "surrogatepass"), safe=""
    )
    path = target.path.replace("{event}", given).replace("nobody", given)
    return ask(site, dice, target.role, target.method, path, allowed=(400, 403, 404, 405, 422))


KINDS: Final[dict[str, Kind]] = {
    "operators in fields": in_fields,
    "other values in fields": other_values,
    "operators as names": as_names,
    "operators as attributes": in_attributes,
    "operators in queries": in_queries,
    "names and cursors repeated": repeated,
    "operators in paths": in_paths,
}
