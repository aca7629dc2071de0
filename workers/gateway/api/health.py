"""Whether the gateway is well, and its figures."""

from typing import Any, Final

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from infra.metrics import exposition
from schemas.http.health import HealthReport
from workers.gateway.access import Anyone
from workers.gateway.parts import PartsOf

router = APIRouter(tags=["health"])

_UNWELL: Final[dict[int | str, dict[str, Any]]] = {
    503: {"model": HealthReport, "description": "Not well; causes say why."}
}


@router.get("/health/live", dependencies=[Anyone], responses=_UNWELL, response_model_exclude_none=True)
async def live(response: Response, parts: PartsOf) -> HealthReport:
    """Whether it still moves; if not, only a restart helps."""
    return _report(response, "alive", parts.health.stuck)


@router.get("/health/ready", dependencies=[Anyone], responses=_UNWELL, response_model_exclude_none=True)
async def ready(response: Response, parts: PartsOf) -> HealthReport:
    """Whether it can classify products, and if not, what it waits for."""
    return _report(response, "ready", parts.health.stuck | parts.health.waiting)


@router.get("/metrics", dependencies=[Anyone], response_class=Response)
async def metrics() -> Response:
    """The figures in Prometheus' text format."""
    return Response(exposition(), media_type=CONTENT_TYPE_LATEST)


def _report(response: Response, state: str, causes: dict[str, str]) -> HealthReport:
    if causes:
        response.status_code = 503
        return HealthReport(status=f"not {state}", causes=causes)
    return HealthReport(status=state)
