"""Traces of products on their way, by OpenTelemetry; off unless a collector is set.

Off, nothing of OpenTelemetry is imported from here, and no worker has a step more: what traces is put around the parts
of a worker when they are made. A process's tracer is never made the global one, which is MLflow's to use.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from infra.settings import Settings

if TYPE_CHECKING:
    from pymongo.monitoring import CommandListener

    from infra.tracing.export import Tracing

_now: "Tracing | None" = None


def tracing() -> "Tracing | None":
    """How this process traces; None where it does not."""
    return _now


def store_listeners() -> "list[CommandListener]":
    """Who is told of each command to the store."""
    if _now is None:
        return []
    from infra.tracing.commands import StoreCommands

    return [StoreCommands()]


@contextmanager
def traced(settings: Settings, worker: str) -> Iterator[None]:
    """Trace for as long as the context lasts, if a collector is set; what is still to be sent has a moment then.

    Args:
        settings: Those of `infra.settings_tracing` are used.
        worker: As ``aisle worker`` names it.
    """
    global _now  # noqa: PLW0603 - as with logs and figures, a process has one
    if settings.tracing_otlp_endpoint is None:
        yield
        return
    from infra.tracing.export import Tracing

    _now = Tracing.to_collector(settings, worker)
    try:
        yield
    finally:
        _now.end()
        _now = None
