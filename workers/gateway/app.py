"""The application: its routes, and what holds for all of them."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from schemas.http.problem import Problem
from workers.gateway.access import Gatekeeper
from workers.gateway.api import (
    account,
    audit,
    auth,
    bulk,
    dead_letters,
    drift,
    explanations,
    exports,
    figures,
    health,
    items,
    live,
    models,
    predict,
    review,
    runs,
    taxonomy,
    topics,
    users,
    verdicts,
)
from workers.gateway.door import Door
from workers.gateway.edge import Edge
from workers.gateway.pages import site
from workers.gateway.parts import Parts
from workers.gateway.problems import install
from workers.gateway.quota import Quota
from workers.gateway.traced import telemetry

_DESCRIPTION = """
Products are classified by title, description and photo. Every product takes the same road: a topic, a worker, a topic
back. What is wrong with a request is told as problem details (RFC 9457).
"""


def create_app(parts: Parts, gatekeeper: Gatekeeper) -> FastAPI:
    """The application of a gateway.

    Args:
        parts: What its routes work with.
        gatekeeper: Knows its callers.
    """
    app = FastAPI(
        title="aisle",
        version="1",
        description=_DESCRIPTION.strip(),
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # a page of ours, which the content security policy lets live
        redoc_url=None,
        redirect_slashes=False,  # it would lead to whatever place the header Host says
        generate_unique_id_function=_operation_id,
        telemetry=telemetry(),
    )
    _document_problems(app)
    app.state.parts, app.state.gatekeeper = parts, gatekeeper
    install(app)
    operation = (taxonomy, models, runs, dead_letters, live, figures, explanations, bulk, drift)
    reviewing = (items.router, verdicts.router, review.router, exports.router)
    for router in (
        auth.router,
        account.router,
        users.router,
        *(one.router for one in operation),  # before the patterns that would take its paths for ids
        predict.router,
        audit.router,
        *reviewing,
        topics.router,
        health.router,
    ):
        app.include_router(router)
    site.install(app)
    settings = parts.settings
    app.add_middleware(Door, quota=Quota(settings.gateway_predictions_per_minute))
    # Outermost, around Starlette's own answer to what fails unexpectedly, which would have no headers of ours else.
    app.middleware_stack = Edge(
        app.build_middleware_stack(),
        most_bytes=settings.gateway_body_bytes,
        wait_s=settings.gateway_body_s,
        https=(settings.gateway_url or "").startswith("https://"),
    )
    return app


def _document_problems(app: FastAPI) -> None:
    """Add the schema of problems to the document: routes refer to it, and FastAPI knows of no other media type."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        document["components"]["schemas"] |= {**schema.pop("$defs"), "Problem": schema}
        return document

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way


def _operation_id(route: APIRoute) -> str:
    return f"{route.tags[0] if route.tags else 'page'}-{route.name.replace('_', '-')}"
