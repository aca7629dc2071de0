"""Rightly formed requests whose texts would run on a page that took them for markup."""

from random import Random
from typing import Any, Final

from schemas.http.account import Role
from tests.hostile.kinds.targets import event
from tests.hostile.payloads import SCRIPTS, text
from tests.hostile.request import Kind, Request, Site, ask


def products(dice: Random, site: Site) -> Request:
    """In every text of a product."""
    body: dict[str, Any] = {"title": text(dice)[:1_000], "description": text(dice)[:20_000]}
    if dice.random() < 0.5:
        body["product_id"] = dice.choice(SCRIPTS)[:200]
    if dice.random() < 0.3:
        body["image"] = {"uri": dice.choice(SCRIPTS), "media_type": "text/html"}
    if dice.random() < 0.3:
        body["attributes"] = {dice.choice(SCRIPTS)[:200]: dice.choice(SCRIPTS)}
    return ask(site, dice, Role.CUSTOMER, "POST", "/api/v1/predictions", body)


def verdicts(dice: Random, site: Site) -> Request:
    """In notes and codes."""
    said: dict[str, Any] = {"event_id": event(dice, site, Role.REVIEWER), "note": text(dice)[:2_000]}
    said |= dice.choice(
        ({"verdict": "validated"}, {"verdict": "corrected", "code": text(dice)[:200]}, {"verdict": "undo"})
    )
    return ask(site, dice, Role.REVIEWER, "POST", "/api/v1/verdicts", {"verdicts": [said]})


def reasons(dice: Random, site: Site) -> Request:
    """In what is kept for the record."""
    why = text(dice)[:2_000]
    path, body = dice.choice(
        (
            ("/api/v1/dead-letters/drop", {"event_ids": [event(dice, site, Role.ADMIN)], "why": why}),
            ("/api/v1/dead-letters/drop", {"filter": {"product_id": why[:200] or "a"}, "why": why}),
            ("/api/v1/models/rollback", {"why": why}),
            ("/api/v1/models/shadow", {"version": "v", "why": why}),
            ("/api/v1/models/v/promote", {"why": why}),
        )
    )
    return ask(site, dice, Role.ADMIN, "POST", path, body)


def names(dice: Random, site: Site) -> Request:
    """In the names of accounts and keys: those of accounts are letters, so no script is one."""
    name = dice.choice(SCRIPTS)
    sign_in = {"name": name, "password": name}
    path, body, allowed = dice.choice(
        (
            ("/api/v1/users", {"name": name[:64], "role": "admin"}, (403, 422)),
            ("/api/v1/auth/sign-in", sign_in, (401, 422, 429)),
            ("/api/v1/auth/sign-up", sign_in, (403, 422)),
            ("/api/v1/auth/accept", {"token": name, "password": name}, (422, 429)),
        )
    )
    return ask(site, dice, Role.ADMIN, "POST", path, body, allowed=allowed)


KINDS: Final[dict[str, Kind]] = {
    "script in products": products,
    "script in verdicts": verdicts,
    "script in reasons": reasons,
    "script in names": names,
}
