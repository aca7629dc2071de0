"""All figures of all processes, for people and for the documentation."""

from importlib import import_module
from typing import Final

from infra.metrics import METRICS, Metric

_PARTS: Final = ("process", "stream", "producer", "answers", "store", "retrain", "monitor", "gateway", "tracing")


def catalogue() -> list[Metric]:
    """Every figure, each process's together."""
    for part in _PARTS:
        import_module(f"infra.metrics.{part}")
    return sorted(METRICS, key=lambda metric: (metric.processes != ("all",), metric.processes, metric.name))
