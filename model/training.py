"""Training, from a labelled data set to a sealed bundle. Importing this module imports TensorFlow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as library_version
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from model import bundle as bundles
from model.bundle import DataFacts, Golden, Labels, Manifest
from model.calibration import fit_temperature, review_threshold, softmax
from model.errors import DataInvalid
from model.evaluation import Evaluation, evaluate
from model.text.features import Counts, Idf, count_ngrams, vocabulary
from model.text.fitting import fit_linear
from model.data.labelled import LabelledData, check_learnable
from model.text.network import MAX_KNOWN_WORDS, NgramNetwork, Weights, export
from model.report import write_report
from model.data.split import Split, split_rows
from model.text.stage import TextStage

LIBRARIES: Final = ("tensorflow", "keras", "numpy", "scikit-learn")
DEFAULT_NAME: Final = "text-ngrams"

GOLDEN_ROWS: Final = 8


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """What a run may vary.

    Args:
        seed: Of the split and the solver.
        test_share: Part of the rows that only measures.
        validation_share: Part of the rows that fits temperature and threshold, and then joins the training.
        auto_accept_precision: Share of right answers among those that need no review.
        name: What the model is called, beside its version.
    """

    seed: int = 0
    test_share: float = 0.2
    validation_share: float = 0.1
    auto_accept_precision: float = 0.95
    name: str = DEFAULT_NAME


class Listener(Protocol):
    """Told what the training is doing: a step's name and which part of it is done, from 0 to 1."""

    def __call__(self, step: str, part: float, /) -> None: ...  # noqa: D102 - the class says it


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run made."""

    bundle: Path
    manifest: Manifest
    evaluation: Evaluation


def train(
    data: LabelledData,
    models_dir: Path,
    options: TrainOptions = TrainOptions(),
    listen: Listener = lambda _step, _part: None,
) -> Trained:
    """Train, measure and seal a bundle.

    The fit is made twice: on the training side alone, whose answers to the validation side give temperature
    and review threshold, then on both sides for the network that is served. The test side only measures.

    Args:
        data: Rows with categories.
        models_dir: Where the bundle goes, as ``<models_dir>/<version>``.
        options: Seed, shares and precision.
        listen: Told of the progress.

    Raises:
        DataInvalid: There is too little to learn from, or nothing left to measure with.
    """
    check_learnable(data)
    split = split_rows(
        data.codes,
        data.keys,
        seed=options.seed,
        test_share=options.test_share,
        validation_share=options.validation_share,
    )
    classes, truth = _classes_of(data, split)
    test = split.test[truth[split.test] >= 0]
    if not len(test) or len(classes) < 2:
        raise DataInvalid(
            f"{data.path} has too few different titles to learn from some and measure with others.",
            hint="Each category needs several products with titles of their own.",
        )
    with bundles.staging(models_dir) as path:
        network, temperature, threshold = _fit(data, split, truth, len(classes), options, listen)
        entries = _labels(data, classes)
        names = [(entry.code, entry.category("en").label) for entry in entries]
        listen("measuring", 0.0)
        export(network, [code for code, _ in names], [label for _, label in names], path / bundles.TEXT_STAGE)
        stage = TextStage(path / bundles.TEXT_STAGE)
        evaluation = evaluate(_probabilities(stage, data, test), truth[test], names, threshold)
        manifest = Manifest(
            name=options.name,
            version="",
            created_at=datetime.now(UTC),
            seed=options.seed,
            stages=[bundles.TEXT_STAGE],
            files={},
            categories=entries,
            prior=(np.bincount(truth[split.seen], minlength=len(classes)) / len(split.seen)).tolist(),
            taxonomy_sha256=data.taxonomy.sha256,
            temperature=temperature,
            review_threshold=threshold,
            auto_accept_precision=options.auto_accept_precision,
            metrics=evaluation.metrics(),
            data=_facts(data, split, len(test)),
            golden=_golden(stage, data, test),
            libraries={name: library_version(name) for name in LIBRARIES},
        )
        np.save(path / bundles.SEEN_KEYS, np.unique(data.keys[split.seen]))
        listen("measuring", 0.5)
        write_report(evaluation, manifest, path / bundles.REPORT)
        sealed = bundles.seal(path, models_dir, manifest)
        listen("measuring", 1.0)
    return Trained(sealed, bundles.read_manifest(sealed), evaluation)


def _classes_of(data: LabelledData, split: Split) -> tuple[list[str], NDArray[np.int64]]:
    """The classes that training sees, and each row's index among them; -1 for one that only the test has."""
    seen = set(data.codes[split.seen].tolist())
    classes = [code for code in data.classes if code in seen]
    index = {code: number for number, code in enumerate(classes)}
    return classes, np.array([index.get(code, -1) for code in data.codes.tolist()])


def _fit(
    data: LabelledData, split: Split, truth: NDArray[np.int64], classes: int, options: TrainOptions, listen: Listener
) -> tuple[NgramNetwork, float, float]:
    """The network, its temperature and its review threshold."""
    counts = count_ngrams(data.titles, data.descriptions, lambda part: listen("counting n-grams", part))
    listen("fitting", 0.0)
    margins = _held_out_margins(counts, split, truth, classes, options.seed)
    held_out = truth[split.validation]
    temperature = fit_temperature(margins, held_out)
    probabilities = softmax(margins, temperature)
    right = probabilities.argmax(axis=1) == held_out
    threshold = review_threshold(probabilities.max(axis=1), right, options.auto_accept_precision)
    listen("fitting", 0.4)
    seen = counts.take(split.seen)
    idf = Idf.fit(seen)
    coefficients, bias = fit_linear(idf.weigh(seen), truth[split.seen], classes, seed=options.seed)
    listen("fitting", 0.9)
    titles, descriptions = ([side[row] for row in split.seen] for side in (data.titles, data.descriptions))
    known = vocabulary(titles, descriptions, MAX_KNOWN_WORDS)
    network = NgramNetwork(Weights(idf, coefficients, bias, temperature, known))
    listen("fitting", 1.0)
    return network, temperature, threshold


def _held_out_margins(
    counts: Counts, split: Split, truth: NDArray[np.int64], classes: int, seed: int
) -> NDArray[np.float64]:
    """What a fit on the training side alone says of the validation side."""
    train = counts.take(split.train)
    idf = Idf.fit(train)
    coefficients, bias = fit_linear(idf.weigh(train), truth[split.train], classes, seed=seed)
    margins: NDArray[np.float64] = idf.weigh(counts.take(split.validation)) @ coefficients.astype(np.float64) + bias
    return margins


def _probabilities(stage: TextStage, data: LabelledData, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    return stage.probabilities([data.titles[row] for row in rows], [data.descriptions[row] for row in rows])


def _golden(stage: TextStage, data: LabelledData, rows: NDArray[np.int64]) -> list[Golden]:
    """Some test rows and one text that no one wrote, with the answers the bundle must give for ever."""
    chosen = rows[np.linspace(0, len(rows) - 1, min(GOLDEN_ROWS, len(rows))).astype(np.int64)]
    texts = [(data.titles[row], data.descriptions[row]) for row in chosen] + [("zzyzx 0xe9 \u00e9\u00df", "")]
    answers = stage.probabilities([title for title, _ in texts], [description for _, description in texts])
    return [
        Golden(title=title, description=description, probabilities=row)
        for (title, description), row in zip(texts, answers.tolist(), strict=True)
    ]


def _labels(data: LabelledData, classes: Sequence[str]) -> list[Labels]:
    shelves = {shelf.code: shelf for shelf in data.taxonomy}
    return [Labels(code=code, labels=dict(shelves[code].labels), themes=dict(shelves[code].themes)) for code in classes]


def _facts(data: LabelledData, split: Split, test: int) -> DataFacts:
    return DataFacts(
        file=data.path.name,
        sha256=data.sha256,
        rows=len(data),
        train=len(split.train),
        validation=len(split.validation),
        test=test,
        skipped=data.problems.empty + data.problems.broken,
    )
