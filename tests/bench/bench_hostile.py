"""Hostile products through the classify road, without a broker: ``python -m tests.bench hostile``.

Each goes through the stage's own steps: the record is validated, its photo read and checked, what is left classified,
and the prediction held to the contract. What is refused has to be refused by name; nothing may break the model. Prints
what became of them, and the memory that it took.
"""

import argparse
import asyncio
import csv
import re
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Final

import psutil

from infra.logging import configure_logging
from infra.photos import Photos
from infra.settings import load_settings
from model.classifier import Classifier
from model.data.labelled import load_labelled
from model.synthetic.catalogue import Catalogue
from model.synthetic.export import write_catalogue
from model.training import train
from schemas.dead_letter import DeadLetter
from schemas.prediction import Prediction
from streams.classify import ClassifyStage
from streams.inference import Inference
from streams.photos import PhotoReader
from tests.bench.hostile import records, write_photos
from tests.records import record

_BATCH: Final = 64
_FIRST: Final = 512  # inputs before memory is watched: buffers grow to what the largest photos take
_DEADLINE_S: Final = 120.0
_LOOK_S: Final = 0.01
_ROWS: Final = 600  # of the synthetic catalogue, for a model where none is named
_FIGURE = re.compile(r"[\d,.]*\d")


@dataclass
class Outcome:
    """What became of some records.

    Args:
        classified: Predictions, by the stage that decided.
        refused: Dead letters, by stage and name.
        notes: Why parts were not used, figures left out.
    """

    records: int = 0
    classified: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)


@dataclass
class Memory:
    """Resident memory of this process, in MB: before, and the most that was seen."""

    before: float
    peak: float

    @property
    def growth(self) -> float:
        """From before to the peak."""
        return self.peak - self.before


def stage_of(bundle: Path, folder: Path) -> ClassifyStage:
    """The classify stage with a model and one image root; nothing is published."""
    inference = Inference(Classifier.load(bundle), deadline_s=_DEADLINE_S)
    return ClassifyStage(inference, None, PhotoReader(Photos([str(folder)])))  # type: ignore[arg-type] # no broker here


async def classify(stage: ClassifyStage, values: Iterable[bytes | None]) -> Outcome:
    """Send values through a stage, and hold every answer to the contract."""
    outcome, source = Outcome(), iter(values)
    while batch := list(islice(source, _BATCH)):
        some = [record(value, offset=outcome.records + number) for number, value in enumerate(batch)]
        outbox = stage.encode(await stage.work(stage.decode(some)))
        assert len(some) == len(outbox.predictions) + len(outbox.dead_letters)
        for one in outbox.predictions:
            prediction = Prediction.model_validate_json(one.value or b"")
            assert prediction.modalities or prediction.needs_review
            outcome.classified[prediction.decided_by] += 1
            outcome.notes.update(_FIGURE.sub("N", note) for note in prediction.notes)
        for letter in outbox.dead_letters:
            reason = DeadLetter.from_headers(letter.headers)
            outcome.refused[f"{reason.stage}: {reason.error_class}"] += 1
        outcome.records += len(some)
    return outcome


@contextmanager
def watched() -> Iterator[Memory]:
    """Memory while the context lasts, looked at every 10 ms."""
    process, over = psutil.Process(), threading.Event()
    now = process.memory_info().rss / 1e6
    memory = Memory(now, now)

    def look() -> None:
        while not over.wait(_LOOK_S):
            memory.peak = max(memory.peak, process.memory_info().rss / 1e6)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        over.set()
        thread.join()


def synthetic_bundle(folder: Path) -> Path:
    """A model of texts and photos that do not exist; a fifth of the rows have a photo alone, so that photos count."""
    path, cut = folder / "shop.csv", folder / "cut.csv"
    write_catalogue(Catalogue(seed=0, photos=True), path, _ROWS)
    with path.open(encoding="utf-8", newline="") as whole, cut.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictReader(whole)
        writer = csv.DictWriter(file, rows.fieldnames or ())
        writer.writeheader()
        for number, row in enumerate(rows):
            writer.writerow(row if number % 5 else row | {"title": "", "description": ""})
    return train(load_labelled(cut), folder / "models").bundle


def main(arguments: list[str] | None = None) -> None:
    """Print what became of them."""
    parser = argparse.ArgumentParser(prog="bench hostile", description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="of the dice")
    parser.add_argument("--model", type=Path, help="a bundle; default: one trained on 600 synthetic products")
    given = parser.parse_args(arguments)
    configure_logging(load_settings().model_copy(update={"log_level": "error"}))  # thousands of dead letters
    with tempfile.TemporaryDirectory() as name:
        photos = Path(name) / "photos"
        photos.mkdir()
        files = write_photos(photos)
        stage = stage_of(given.model or synthetic_bundle(Path(name)), photos)
        with watched() as first:  # what the buffers of the largest photos grow to
            asyncio.run(classify(stage, records(given.seed + 1, _FIRST, files)))
        begin = perf_counter()
        with watched() as memory:
            outcome = asyncio.run(classify(stage, records(given.seed, given.inputs, files)))
        seconds = perf_counter() - begin
    print(f"{outcome.records:,} inputs, seed {given.seed}, in {seconds:.0f} s\n")
    print(
        f"memory: {first.before:,.0f} MB with the model, {memory.before:,.0f} after {_FIRST} others, "
        f"at most {memory.peak:,.0f}"
    )
    for title in ("classified", "refused", "notes"):
        counts: Counter[str] = getattr(outcome, title)
        print(f"\n{title}: {counts.total():,}")
        for what, count in counts.most_common():
            print(f"  {count:7,}  {what}")
    if any(reason.startswith("infer") for reason in outcome.refused):
        raise SystemExit("Some of them broke the model.")


if __name__ == "__main__":
    main()
