"""Of the workers with a model: which one it is, and what it answers."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from time import time
from typing import Final, Protocol

import numpy as np
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from infra.metrics import REGISTRY, Declare
from schemas.prediction import ModelRef


class Answer(Protocol):
    """What is counted of a prediction."""

    decided_by: str
    needs_review: bool
    confidence: float


_declare: Final = Declare("classify", "shadow")


class Batched(Collector):
    """A histogram that takes a batch at once: prometheus_client's takes a lock for each value.

    Args:
        name: Of the figure.
        meaning: Of the figure.
        bounds: Upper bounds of the buckets, growing.
    """

    def __init__(self, name: str, meaning: str, bounds: Sequence[float]) -> None:
        _declare.note(name, "histogram", meaning)
        self._name, self._meaning, self._bounds = name, meaning, bounds
        self._counts = np.zeros(len(bounds) + 1, dtype=np.int64)
        self._sum = 0.0
        REGISTRY.register(self)

    def observe(self, values: Sequence[float]) -> None:
        """Count each of them; from one thread only."""
        self._sum += sum(values)
        self._counts += np.bincount(np.searchsorted(self._bounds, values), minlength=len(self._counts))

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """What Prometheus reads."""
        names = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        family = HistogramMetricFamily(self._name, self._meaning)
        family.add_metric([], list(zip(names, self._counts.cumsum().tolist(), strict=True)), self._sum)
        yield family


PREDICTIONS: Final = _declare.counter(
    "aisle_predictions_total",
    "Predictions, by the stage or person that decided, and whether a person should look at them.",
    "decided_by",
    "needs_review",
)
CONFIDENCE: Final = Batched(
    "aisle_prediction_confidence_ratio",
    "Calibrated confidence of predictions.",
    (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 1.0),
)
DECIDED_CONTENTS: Final = _declare.gauge(
    "aisle_decided_contents", "Contents whose category a person decided, as this worker knows them."
)
MODEL_SWAPS: Final = _declare.counter(
    "aisle_model_swaps_total", "Changes of the model in service, by what became of them: swapped or failed.", "outcome"
)
SHADOW_PRODUCTS: Final = _declare.counter(
    "aisle_shadow_products_total",
    "Products of a shadow worker's sample, by what became of them; behind are all that went past it.",
    "outcome",
)
_MODEL: Final = _declare.gauge("aisle_model_info", "1 for the model that answers.", "name", "version")
_SINCE: Final = _declare.gauge("aisle_model_since_timestamp_seconds", "Since when this model answers here.")

for _outcome in ("swapped", "failed"):
    MODEL_SWAPS.labels(outcome=_outcome)  # there from the start, so that the first one shows as an increase


def count_answers(answers: Iterable[Answer]) -> None:
    """Count a batch of predictions."""
    seen = list(answers)
    CONFIDENCE.observe([one.confidence for one in seen])
    reviewed = Counter([one.decided_by for one in seen if one.needs_review])
    done = Counter([one.decided_by for one in seen]) - reviewed
    for by, needs_review, count in [(by, True, n) for by, n in reviewed.items()] + [
        (by, False, n) for by, n in done.items()
    ]:
        PREDICTIONS.labels(decided_by=by, needs_review=str(needs_review).lower()).inc(count)


def show_model(model: ModelRef) -> None:
    """Name the model that answers from now on."""
    _MODEL.clear()
    _MODEL.labels(name=model.name, version=model.version).set(1)
    _SINCE.set(time())
