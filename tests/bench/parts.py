"""CPU of each part of the classify road, without a broker: ``python -m tests.bench.parts --model PATH``.

Real products go through the stage's own decode and work, in batches; what the parts cost is the median of several
rounds over the same events, so that a busy machine disturbs it little. All but the network runs on one thread and
holds the interpreter's lock.
"""

import argparse
import asyncio
import gc
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import numpy as np
from aiokafka.structs import ConsumerRecord

import model
from infra.settings import load_settings
from model.bundle import read_manifest
from model.cascade import Cascade
from model.champion import find_bundle
from model.classifier import Classification, Classifier, Photo
from model.data.cleaning import clean_description, clean_title
from model.data.dataset import iter_products
from model.kinds import LOADERS
from model.rows import Rows
from model.stages import LogProbabilities
from schemas.prediction import Modality
from schemas.product import Product
from streams.classify import Classified, ClassifyStage
from streams.decode import id_of, parse_product
from streams.replay.file import FileEvents
from tests.records import record

OFF = Path(model.__file__).parent / "data" / "openfoodfacts_fr" / "openfoodfacts_fr.csv"


class NoNetwork:
    """A stage that knows its answers, so that what is around the network can be measured alone."""

    name = "text"
    reads: frozenset[Modality] = frozenset({"title", "description"})

    def __init__(self, classes: int, rows: int) -> None:
        shares = np.random.default_rng(0).dirichlet(np.full(classes, 0.3), rows)
        self._known = np.log(np.maximum(shares, 1e-6)).astype(np.float32)

    def log_probabilities(self, rows: Rows) -> LogProbabilities:
        """The first rows of what it knows, once the texts are cleaned."""
        assert rows.titles
        return self._known[: len(rows)].copy()


class Known:
    """Inference that has its answers already."""

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier
        self.answers: list[Classification] = []

    async def classify(self, products: Sequence[Product], photos: Sequence[Photo] = ()) -> Sequence[Classification]:  # noqa: ARG002
        """The answers, whatever the products."""
        return self.answers[: len(products)]


def events() -> list[ConsumerRecord]:
    """Products as ``aisle replay`` publishes them."""
    source = FileEvents.of(OFF)
    return [
        record(source.value(row), key=row.id.encode(), headers=source.headers(row), offset=number, partition=number % 8)
        for number, row in enumerate(iter_products(OFF))
    ]


def cost(step: Callable[[Any], Any], batches: Sequence[Any], rounds: int) -> float:
    """Median CPU of a round, microseconds an event, over all threads of the process."""
    step(batches[0])
    count, taken = sum(map(len, batches)), []
    for _ in range(rounds):
        begin = process_time()
        for batch in batches:
            step(batch)
        taken.append((process_time() - begin) / count * 1e6)
    return median(taken)


def measure(bundle: Path, size: int, rounds: int) -> dict[str, float]:
    """CPU of each part, microseconds an event, at a batch size."""
    manifest, network = read_manifest(bundle), LOADERS["text"](bundle / "text")
    pools = [pool for pool in manifest.pools if pool.stages == ("text",)]
    classifier = Classifier(manifest, Cascade([NoNetwork(len(manifest.categories), size)], pools, manifest.prior))
    known = Known(classifier)
    stage = ClassifyStage(known, None)  # type: ignore[arg-type] # nothing is published
    records = events()
    batches = [records[start : start + size] for start in range(0, len(records) - size, size)]
    products = [[one.product for one in stage.decode(batch)[0]] for batch in batches]
    rows = [Rows.of(batch) for batch in products]
    for some in rows:
        assert some.titles is not some.descriptions  # both are cleaned now, and kept
    known.answers = classifier.classify(products[0])
    classified = [Results(asyncio.run(stage.work(stage.decode(batch)))) for batch in batches]
    gc.collect()
    gc.freeze()  # as the worker does once its model is loaded

    found = {
        "event id": cost(lambda batch: [id_of(one) for one in batch], batches, rounds),
        "validate": cost(lambda batch: [parse_product(one) for one in batch], batches, rounds),
        "decode (id, validate and the rest)": cost(stage.decode, batches, rounds),
        "clean": cost(
            lambda batch: [(clean_title(one.title), clean_description(one.description)) for one in batch],
            products,
            rounds,
        ),
        "network": cost(network.log_probabilities, rows, rounds),
        "clean and answers": cost(classifier.classify, products, rounds),
        "encode": cost(lambda batch: stage.encode(batch.results), classified, rounds),
    }
    found["answers"] = found.pop("clean and answers") - found["clean"]
    return found


class Results:
    """A classified batch that knows how many events it holds."""

    def __init__(self, results: Classified) -> None:
        self.results = results

    def __len__(self) -> int:
        return len(self.results.received)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="a bundle; default: AISLE_MODEL, else the champion")
    parser.add_argument("--sizes", type=int, nargs="+", default=[32, 256, 512], help="events in a batch")
    parser.add_argument("--rounds", type=int, default=9, help="rounds, of which the median counts")
    given = parser.parse_args()
    settings = load_settings()
    bundle = find_bundle(given.model or settings.model, settings.data_dir / "models")
    columns = [measure(bundle, size, given.rounds) for size in given.sizes]
    print(f"CPU, microseconds an event; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| part | " + " | ".join(f"batch {size}" for size in given.sizes) + " |")
    print("|---|" + "---:|" * len(given.sizes))
    for part in columns[0]:
        print(f"| {part} | " + " | ".join(f"{column[part]:.1f}" for column in columns) + " |")


if __name__ == "__main__":
    main()
