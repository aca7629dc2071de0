"""Every route of the API with its right, and what each role gets from it."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import FastAPI

from schemas.http.account import Role
from tests.gateway import client, gateway
from workers.gateway.access import PERMISSIONS, Right

ROUTES = {
    Right.PUBLIC: """
        GET /health/live
        GET /health/ready
        GET /metrics
        GET /api/v1/asyncapi.json
        POST /api/v1/auth/accept
        POST /api/v1/auth/refresh
        POST /api/v1/auth/sign-in
        POST /api/v1/auth/sign-out
        POST /api/v1/auth/sign-up
    """,
    Right.ACCOUNT: """
        GET /api/v1/me
        POST /api/v1/me/password
        GET /api/v1/me/sessions
        DELETE /api/v1/me/sessions
        GET /api/v1/me/keys
        POST /api/v1/me/keys
        DELETE /api/v1/me/keys/{key_id}
    """,
    Right.PREDICT: """
        POST /api/v1/predictions
        POST /api/v1/predictions/upload
        GET /api/v1/predictions/{event_id}
        GET /api/v1/items
        GET /api/v1/items/{event_id}
        GET /api/v1/items/{event_id}/explanation
        GET /api/v1/items/{event_id}/photo
        GET /api/v1/jobs
        GET /api/v1/jobs/{id}
        GET /api/v1/jobs/{id}/result
        POST /api/v1/jobs/{id}/cancel
        POST /api/v1/predictions/bulk
        GET /api/v1/taxonomy
    """,
    Right.REVIEW: """
        GET /api/v1/export
        GET /api/v1/items/{event_id}/similar
        POST /api/v1/review/claim
        POST /api/v1/review/next
        GET /api/v1/review/progress
        POST /api/v1/review/release
        POST /api/v1/verdicts
    """,
    Right.WATCH: """
        GET /api/v1/dead-letters
        GET /api/v1/dead-letters/counts
        GET /api/v1/dead-letters/{event_id}
        GET /api/v1/drift
        GET /api/v1/drift/checks
        GET /api/v1/drift/reports/{day}/{name}
        GET /api/v1/figures
        GET /api/v1/live
        GET /api/v1/models
        GET /api/v1/models/compare
        GET /api/v1/models/{version}
        GET /api/v1/models/{version}/report
        GET /api/v1/runs
        GET /api/v1/runs/{id}
    """,
    Right.OPERATE: """
        POST /api/v1/dead-letters/drop
        POST /api/v1/dead-letters/retry
        POST /api/v1/models/rollback
        POST /api/v1/models/shadow
        DELETE /api/v1/models/shadow
        POST /api/v1/models/{version}/promote
        POST /api/v1/runs
        POST /api/v1/runs/{id}/cancel
    """,
    Right.ADMINISTER: """
        GET /api/v1/audit
        DELETE /api/v1/items/{event_id}
        GET /api/v1/users
        POST /api/v1/users
        PATCH /api/v1/users/{name}
        DELETE /api/v1/users/{name}
        POST /api/v1/users/{name}/invitation
    """,
}
BY_ROUTE = {line.strip(): right for right, lines in ROUTES.items() for line in lines.strip().splitlines()}


def operations(app: FastAPI) -> Iterator[str]:
    """Method and path of every route of the API."""
    for path, methods in app.openapi()["paths"].items():
        yield from (f"{method.upper()} {path}" for method in methods)


def test_every_route_is_listed_here_with_its_right(tmp_path: Path) -> None:
    """One that is added without a thought on who may call it fails this."""
    app, _ = gateway(tmp_path)
    assert set(BY_ROUTE) == set(operations(app))


@pytest.mark.parametrize("route", sorted(BY_ROUTE))
async def test_a_route_answers_those_who_have_its_right(route: str, tmp_path: Path) -> None:
    """401 without an account, 403 in a role that has not got the right, whatever else is wrong with the request."""
    app, parts = gateway(tmp_path)
    method, path = route.split()
    right = BY_ROUTE[route]
    allowed = set(Role) if right is Right.PUBLIC else PERMISSIONS[right]
    for role in chain([None], Role):
        async with client(app, role) as calls:
            if role in allowed or right is Right.PUBLIC:
                continue  # test_gateway_contract calls these
            answer = await calls.request(method, path.format_map(_Values()))
        assert (401 if role is None else 403) == answer.status_code, role
    parts.store.close()


def test_the_document_says_which_routes_need_an_account(tmp_path: Path) -> None:
    """So that clients made of it send the token."""
    app, _ = gateway(tmp_path)
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            public = BY_ROUTE[f"{method.upper()} {path}"] is Right.PUBLIC
            assert public != ("security" in operation), path


class _Values(dict[str, str]):
    """A value for each name in a path."""

    def __missing__(self, name: str) -> str:
        return str(UUID(int=0)) if name == "event_id" else name
