"""The pages as a part of the application."""

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.status import HTTP_404_NOT_FOUND

from workers.gateway.errors import NotFound
from workers.gateway.pages import assets, routes
from workers.gateway.pages.views import failure

_FOR_MACHINES = ("/api/", "/static/", "/health/", "/metrics")


def install(app: FastAPI) -> None:
    """Add the pages, and a page for those who are lost."""
    app.include_router(assets.router)
    app.include_router(routes.router)
    others = app.exception_handlers[HTTPException]

    async def lost(request: Request, error: Exception) -> Response:
        person = "text/html" in request.headers.get("accept", "")
        if person and not request.url.path.startswith(_FOR_MACHINES):
            return failure(request, NotFound("There is no such page."))
        answer: Response = await others(request, error)  # type: ignore[misc] # ours, which is a coroutine
        return answer

    app.add_exception_handler(HTTP_404_NOT_FOUND, lost)
