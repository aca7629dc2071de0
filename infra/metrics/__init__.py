"""What aisle's processes count and measure, as Prometheus reads it at ``/metrics`` of their health addresses.

A module for each part of aisle: a process has the figures of the modules that it imports, and no others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY: Final = CollectorRegistry()
"""Ours alone: the default registry is open to every library of the process."""

MILLISECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Bounds of what should take milliseconds, in seconds."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure, as docs/metrics.md describes it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str
    processes: tuple[str, ...]

    @property
    def unit(self) -> str:
        """What it is in, which its name ends with; a plain number has none."""
        if self.name.endswith("timestamp_seconds"):
            return "seconds since 1970"
        last = self.name.removesuffix("_total").rpartition("_")[2]
        return {"seconds": "seconds", "bytes": "bytes", "ratio": "0 to 1"}.get(last, "number")


METRICS: Final[list[Metric]] = []
"""Those of the modules imported so far."""


class Declare:
    """Declares the figures of some kinds of process.

    Args:
        processes: As ``aisle worker`` names them; none: all.
    """

    def __init__(self, *processes: str) -> None:
        self._processes = processes or ("all",)

    def counter(self, name: str, meaning: str, *labels: str) -> Counter:
        """What only grows; the name ends with ``_total``."""
        self.note(name, "counter", meaning, labels)
        return Counter(name, meaning, labels, registry=REGISTRY)

    def gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        """What goes up and down; 0 until it is set, unless it has labels."""
        self.note(name, "gauge", meaning, labels)
        return Gauge(name, meaning, labels, registry=REGISTRY)

    def histogram(self, name: str, meaning: str, bounds: Sequence[float] = MILLISECONDS) -> Histogram:
        """What has a distribution."""
        self.note(name, "histogram", meaning, ())
        return Histogram(name, meaning, buckets=bounds, registry=REGISTRY)

    def note(self, name: str, kind: str, meaning: str, labels: Sequence[str] = ()) -> None:
        """Put into METRICS what is collected by other means."""
        METRICS.append(Metric(name, kind, tuple(labels), meaning, self._processes))


def exposition() -> bytes:
    """All figures in Prometheus' text format."""
    return generate_latest(REGISTRY)
