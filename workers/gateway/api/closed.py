"""Paths beside a pattern that would take them for an id."""

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.status import HTTP_405_METHOD_NOT_ALLOWED


def nothing_to_get(router: APIRouter, *paths: str) -> None:
    """Answer GET at these paths with 405; to be called before the pattern's route is added.

    Args:
        router: Has other methods at these paths.
        paths: Without the router's prefix.
    """
    for path in paths:
        router.add_api_route(path, _refuse, methods=["GET"], include_in_schema=False)


async def _refuse() -> None:
    raise HTTPException(HTTP_405_METHOD_NOT_ALLOWED)
