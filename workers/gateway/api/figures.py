"""The figures of the dashboard."""

from fastapi import APIRouter

from schemas.http.figures import Figures
from workers.gateway.access import Watcher
from workers.gateway.parts import PartsOf
from workers.gateway.problems import PROBLEMS

router = APIRouter(prefix="/api/v1/figures", tags=["figures"], responses=PROBLEMS)


@router.get("", summary="How it goes")
async def figures(_: Watcher, parts: PartsOf) -> Figures:
    """Throughput, latency, lag, confidence, classes and verdicts; at most five seconds old.

    Each part says what it was made from. A part whose source is away is null, and `away` says why.
    """
    return await parts.operation.figures.get()
