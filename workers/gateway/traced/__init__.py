"""Spans for what a gateway does, where tracing is on.

FastAPI makes those of requests by itself, and imports OpenTelemetry's interface for that, on or off; what it needs to
do more than nothing is imported where tracing is on.
"""

from collections.abc import MutableMapping
from typing import Any, Final

from fastapi.telemetry import TelemetryConfig

from infra.tracing import tracing
from workers.gateway.road.submit import Road

_PREFIX: Final = "/api/v1/"
_ANYONES: Final = "/api/v1/auth/"
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def telemetry() -> TelemetryConfig:
    """What FastAPI notes of requests: spans of those that do something, else nothing, whatever the environment says."""
    off: TelemetryConfig = {"metrics": False, "logs": False, "operation_spans": False, "auto_configure": False}
    if (on := tracing()) is None:
        return {**off, "tracing": False}
    return {**off, "tracing": True, "tracer_provider": on.provider, "exclude": _is_no_deed}


def road_class() -> type[Road]:
    """The way to the topic and back."""
    if tracing() is None:
        return Road
    from workers.gateway.traced.road import TracedRoad

    return TracedRoad


def _is_no_deed(scope: MutableMapping[str, Any]) -> bool:
    """Reading is left out, as pages ask all the time, what they look for stands in the query, and feeds never end."""
    path: str = scope["path"]
    return scope.get("method") in _READS or not path.startswith(_PREFIX) or path.startswith(_ANYONES)
