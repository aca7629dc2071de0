"""The contract of the topics."""

from typing import Any

from fastapi import APIRouter

from schemas.asyncapi import asyncapi
from workers.gateway.access import Anyone
from workers.gateway.problems import PROBLEMS

router = APIRouter(prefix="/api/v1", tags=["topics"], responses=PROBLEMS)


@router.get("/asyncapi.json", dependencies=[Anyone], summary="The topics as AsyncAPI 3")
async def document() -> dict[str, Any]:
    """What travels on each topic, with the JSON Schema of every value."""
    return asyncapi()
