"""The model alone, called in a loop on batches of products: the limit of any pipeline around it."""

import time
from itertools import cycle, islice
from statistics import median

from model.classifier import Classifier
from streams.loading import load
from tests.bench.competitors.task import Stopwatch, read_task, tell
from tests.bench.load import products

_CALLS = 200


def main() -> None:
    """Measure once, on batches of the size that the variant names; with several sizes, the time of one call each."""
    task = read_task()
    assert task.bundle is not None
    classifier = load(task.bundle, "en")
    sizes = [int(size) for size in task.variant.split(",")]
    source = cycle(products())
    if len(sizes) > 1:
        tell({"call_ms": {size: _call_ms(classifier, list(islice(source, size * 20)), size) for size in sizes}})
    batches = cycle([list(islice(source, sizes[0])) for _ in range(1 + 20_000 // sizes[0])])
    stopwatch = Stopwatch(task)
    while not stopwatch.over:
        batch = next(batches)
        classifier.classify(batch)
        stopwatch.add(len(batch))
    tell(stopwatch.report() | {"batch_events": sizes[0]})


def _call_ms(classifier: Classifier, some: list, size: int) -> float:  # type: ignore[type-arg]
    times = []
    for call in range(_CALLS):
        start = call * size % len(some)
        began = time.perf_counter()
        classifier.classify(some[start : start + size])
        times.append(time.perf_counter() - began)
    return 1000 * median(times)


if __name__ == "__main__":
    main()
