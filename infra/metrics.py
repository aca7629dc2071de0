"""What a worker counts and measures, as Prometheus reads it at ``/metrics`` of its health address."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from schemas.prediction import ModelRef

REGISTRY: Final = CollectorRegistry()
"""Ours alone: the default registry would add figures of the Python process that nothing asked for."""

_MILLISECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

BATCH_EVENTS: Final = Histogram(
    "aisle_batch_events",
    "Events in a micro-batch.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096),
    registry=REGISTRY,
)
BATCH_BYTES: Final = Histogram(
    "aisle_batch_bytes",
    "Payload of a micro-batch.",
    buckets=tuple(4**power for power in range(5, 13)),
    registry=REGISTRY,
)
BATCH_WAIT: Final = Histogram(
    "aisle_batch_wait_seconds",
    "How long a micro-batch was held back for more events.",
    buckets=_MILLISECONDS,
    registry=REGISTRY,
)
BATCH_TOOK: Final = Histogram(
    "aisle_batch_duration_seconds",
    "How long a micro-batch took, decoding to delivery, without waits for others.",
    buckets=_MILLISECONDS,
    registry=REGISTRY,
)
COST_PER_EVENT: Final = Gauge(
    "aisle_batch_cost_per_event_seconds", "a of the fitted cost a·n + b of n events.", registry=REGISTRY
)
COST_PER_BATCH: Final = Gauge(
    "aisle_batch_cost_per_batch_seconds", "b of the fitted cost a·n + b of n events.", registry=REGISTRY
)
BATCH_LIMIT: Final = Gauge("aisle_batch_limit_events", "Most events the next micro-batch may hold.", registry=REGISTRY)
OPEN_BATCHES: Final = Gauge("aisle_open_batches", "Batches delivered and not yet acknowledged.", registry=REGISTRY)
OPEN_BYTES: Final = Gauge("aisle_open_bytes", "Payload of those batches.", registry=REGISTRY)
DECIDED_CONTENTS: Final = Gauge(
    "aisle_decided_contents", "Contents whose category a person decided, as this worker knows them.", registry=REGISTRY
)
LOOP_LAG: Final = Histogram(
    "aisle_event_loop_lag_seconds",
    "How much later than asked the event loop woke a timer.",
    buckets=_MILLISECONDS,
    registry=REGISTRY,
)
MODEL_SWAPS: Final = Counter(
    "aisle_model_swaps", "Changes of the model in service, by what became of them.", ["outcome"], registry=REGISTRY
)
_MODEL: Final = Gauge("aisle_model_info", "1 for the model that answers.", ["name", "version"], registry=REGISTRY)

for _outcome in ("swapped", "failed"):
    MODEL_SWAPS.labels(outcome=_outcome)  # there from the start, so that the first one shows as an increase


def show_model(model: ModelRef) -> None:
    """Name the model that answers from now on."""
    _MODEL.clear()
    _MODEL.labels(name=model.name, version=model.version).set(1)


def exposition() -> bytes:
    """All figures in Prometheus' text format."""
    return generate_latest(REGISTRY)
