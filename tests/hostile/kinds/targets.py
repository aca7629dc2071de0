"""The routes that are called, each with a body or query that would be right."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final
from uuid import UUID

from schemas.http.account import Role
from tests.hostile.request import Site

REVIEWER, ADMIN, CUSTOMER = Role.REVIEWER, Role.ADMIN, Role.CUSTOMER


@dataclass(frozen=True, slots=True)
class Target:
    """A route.

    Args:
        role: One that may call it.
        method: Of the request.
        path: With ``{event}`` for an event's id.
        body: A right one, whose parts are then made wrong.
        query: The names it knows.
    """

    role: Role
    method: str
    path: str
    body: Any = None
    query: Sequence[str] = ()

    def at(self, event: str) -> str:
        """Its path for an event."""
        return self.path.replace("{event}", event)


_EVENT: Final = "{event}"

WRITES: Final = (
    Target(CUSTOMER, "POST", "/api/v1/predictions", {"title": "Lampe", "description": "b", "product_id": "p"}),
    Target(CUSTOMER, "POST", "/api/v1/predictions", {"title": "Lampe", "attributes": {"brand": "b"}}),
    Target(CUSTOMER, "POST", "/api/v1/predictions", {"image": {"uri": "photos/a.jpg"}}),
    Target(REVIEWER, "POST", "/api/v1/verdicts", {"verdicts": [{"event_id": _EVENT, "verdict": "validated"}]}),
    Target(
        REVIEWER,
        "POST",
        "/api/v1/verdicts",
        {"verdicts": [{"event_id": _EVENT, "verdict": "corrected", "code": "lamps", "note": "n"}]},
    ),
    Target(REVIEWER, "POST", "/api/v1/review/next", {"count": 1, "skip": [], "category": "lamps"}),
    Target(REVIEWER, "POST", "/api/v1/review/release", {"event_ids": [_EVENT]}),
    Target(ADMIN, "POST", "/api/v1/users", {"name": "nobody", "role": "customer"}),
    Target(ADMIN, "PATCH", "/api/v1/users/nobody", {"role": "customer", "disabled": True}),
    Target(CUSTOMER, "POST", "/api/v1/me/keys", {"name": "k", "days": 1}),
    Target(CUSTOMER, "POST", "/api/v1/me/password", {"current": "a", "new": "b"}),
    Target(ADMIN, "POST", "/api/v1/dead-letters/drop", {"event_ids": [_EVENT], "why": "w"}),
    Target(ADMIN, "POST", "/api/v1/dead-letters/retry", {"filter": {"stage": "decode", "product_id": "p"}, "why": "w"}),
    Target(ADMIN, "POST", "/api/v1/runs", {"why": "w"}),
    Target(ADMIN, "POST", "/api/v1/models/rollback", {"why": "w"}),
    Target(ADMIN, "POST", "/api/v1/models/shadow", {"version": "v", "why": "w"}),
    Target(ADMIN, "POST", "/api/v1/models/v/promote", {"why": "w", "previous": "v"}),
    Target(CUSTOMER, "POST", "/api/v1/auth/sign-in", {"name": "nobody", "password": "a"}),
    Target(CUSTOMER, "POST", "/api/v1/auth/sign-up", {"name": "nobody", "password": "a"}),
    Target(CUSTOMER, "POST", "/api/v1/auth/accept", {"token": "a.b", "name": "nobody", "password": "a"}),
)

READS: Final = (
    Target(
        CUSTOMER,
        "GET",
        "/api/v1/items",
        query=(
            *("state", "order", "category", "theme", "min_confidence", "max_confidence", "model_version"),
            *("from", "to", "product_id", "text", "limit", "cursor", "submitted_by"),
        ),
    ),
    Target(REVIEWER, "GET", "/api/v1/items", query=("text", "category", "theme", "cursor", "limit", "order")),
    Target(REVIEWER, "GET", f"/api/v1/items/{_EVENT}/similar", query=("limit",)),
    Target(CUSTOMER, "GET", f"/api/v1/items/{_EVENT}/explanation", query=("code",)),
    Target(CUSTOMER, "GET", "/api/v1/jobs", query=("limit", "cursor")),
    Target(REVIEWER, "GET", "/api/v1/export", query=("what", "format", "from", "model_version")),
    Target(REVIEWER, "GET", "/api/v1/review/progress", query=("from", "category", "theme", "model_version")),
    Target(
        REVIEWER,
        "GET",
        "/api/v1/dead-letters",
        query=("stage", "error_class", "product_id", "since", "until", "state", "limit", "cursor"),
    ),
    Target(REVIEWER, "GET", "/api/v1/drift/checks", query=("kind", "limit", "cursor")),
    Target(REVIEWER, "GET", "/api/v1/runs", query=("limit", "cursor")),
    Target(REVIEWER, "GET", "/api/v1/runs/1", query=("log_from",)),
    Target(REVIEWER, "GET", "/api/v1/models", query=("limit", "cursor")),
    Target(REVIEWER, "GET", "/api/v1/models/compare", query=("a", "b")),
    Target(CUSTOMER, "GET", "/api/v1/taxonomy", query=("lang",)),
    Target(ADMIN, "GET", "/api/v1/audit", query=("who", "action", "subject", "since", "until", "limit", "cursor")),
    Target(ADMIN, "GET", "/api/v1/users", query=("limit", "cursor")),
    Target(CUSTOMER, "GET", "/sign-in", query=("next", "lang")),
    Target(CUSTOMER, "GET", "/welcome", query=("token", "lang")),
)

ALONE: Final = (
    Target(CUSTOMER, "GET", "/api/v1/me"),
    Target(CUSTOMER, "GET", f"/api/v1/items/{_EVENT}"),
    Target(CUSTOMER, "GET", f"/api/v1/items/{_EVENT}/photo"),
    Target(CUSTOMER, "GET", f"/api/v1/predictions/{_EVENT}"),
    Target(CUSTOMER, "GET", f"/api/v1/jobs/{_EVENT}/result"),
    Target(REVIEWER, "GET", "/api/v1/figures"),
    Target(REVIEWER, "GET", f"/api/v1/dead-letters/{_EVENT}"),
    Target(ADMIN, "DELETE", f"/api/v1/items/{_EVENT}"),
    Target(ADMIN, "DELETE", "/api/v1/users/nobody"),
    Target(ADMIN, "POST", "/api/v1/users/nobody/invitation"),
)

ALL: Final = (*WRITES, *READS, *ALONE)


def event(dice: Random, site: Site, role: Role) -> str:
    """An event that one may name: one's own, another's, a dead letter, none."""
    mine = site.own if role is CUSTOMER else (*site.own, *site.theirs)
    return dice.choice((*mine, *site.letters, str(UUID(int=dice.getrandbits(128)))))


def filled(body: Any, event_id: str) -> Any:
    """A body with the event in its place."""
    if isinstance(body, dict):
        return {name: filled(part, event_id) for name, part in body.items()}
    if isinstance(body, list):
        return [filled(part, event_id) for part in body]
    return event_id if body == _EVENT else body
