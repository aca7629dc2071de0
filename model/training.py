"""Training, from a labelled data set to a sealed bundle. Importing this module imports TensorFlow."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version as library_version
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from model import bundle as bundles
from model.bundle import DataFacts, Labels, Manifest, StageFacts
from model.calibration import review_threshold
from model.cascade import Cascade, Route
from model.choice import choose, pools_of, simulate, with_shares
from model.data.labelled import LabelledData, check_learnable
from model.data.split import Split, cross_validation, split_rows
from model.errors import DataInvalid
from model.evaluation import Evaluation, evaluate
from model.fusion import Pool
from model.golden import golden_of
from model.held_out import Examples, Fold, held_out
from model.kinds import LOADERS, Kind, Wanted, kinds
from model.report.training import report_training
from model.report.write import write_report
from model.rows import MODALITIES
from model.stages import FittedStage

LIBRARIES: Final = ("tensorflow", "keras", "numpy", "scikit-learn")
DEFAULT_NAME: Final = "aisle"

FOLDS: Final = 5
MAX_CROSS_VALIDATED: Final = 20_000
"""More rows than this have enough in one part held out."""


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """What a run may vary.

    Args:
        seed: Of the split and the solvers.
        test_share: Part of the rows that only measures.
        auto_accept_precision: Share of right answers among those that need no review.
        name: What the model is called, beside its version.
        stages: Which stages to try.
    """

    seed: int = 0
    test_share: float = 0.2
    auto_accept_precision: float = 0.95
    name: str = DEFAULT_NAME
    stages: Wanted = field(default_factory=Wanted)


class Listener(Protocol):
    """Told what the training is doing: a step's name and which part of it is done, from 0 to 1."""

    def __call__(self, step: str, part: float, /) -> None: ...  # noqa: D102 - the class says it


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run made."""

    bundle: Path
    manifest: Manifest
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What held-out answers decided."""

    kinds: list[Kind]
    tried: list[StageFacts]
    pools: list[Pool]
    threshold: float


def train(
    data: LabelledData,
    models_dir: Path,
    options: TrainOptions = TrainOptions(),
    listen: Listener = lambda _step, _part: None,
    command: str = "",
) -> Trained:
    """Train, measure and seal a bundle.

    Each kind of stage is fitted on parts of the training side; its answers to the rest decide which stages stay, how
    they are weighed and calibrated, when the cascade stops, and from which confidence on nobody needs to look. Then
    the stages that stay are fitted on the whole side. The test side only measures.

    Args:
        data: Rows with categories.
        models_dir: Where the bundle goes, as ``<models_dir>/<version>``.
        options: Seed, shares and precision.
        listen: Told of the progress.
        command: What the report says repeats the training.

    Raises:
        DataInvalid: There is too little to learn from, or nothing left to measure with.
    """
    check_learnable(data)
    split = split_rows(data.codes, data.keys, seed=options.seed, test_share=options.test_share, validation_share=0.0)
    classes, truth = _classes_of(data, split)
    test = split.test[truth[split.test] >= 0]
    if not len(test) or len(classes) < 2:
        raise DataInvalid(
            f"{data.path} has too few different titles to learn from some and measure with others.",
            hint="Each category needs several products with titles of their own.",
        )
    prior = np.bincount(truth[split.seen], minlength=len(classes)) / len(split.seen)
    examples = Examples(data.rows, truth, len(classes), options.seed)
    chosen = _choose(data, split, examples, prior.tolist(), options, listen)
    fitted = _fit(chosen.kinds, examples, split, listen)
    entries = _labels(data, classes)
    with bundles.staging(models_dir) as path:
        listen("measuring", 0.0)
        for stage in fitted:
            stage.save(path / stage.name)
        loaded = [LOADERS[kind.name](path / kind.name) for kind in chosen.kinds]
        cascade = Cascade(loaded, chosen.pools, prior.tolist())
        names = [(entry.code, entry.category("en").label) for entry in entries]
        themes = [entry.category("en").theme for entry in entries]
        answers = cascade.answer(data.rows.take(test))
        evaluation = evaluate(answers.probabilities, truth[test], names, chosen.threshold, themes)
        manifest = Manifest(
            name=options.name,
            version="",
            created_at=datetime.now(UTC),
            seed=options.seed,
            stages=[kind.name for kind in chosen.kinds],
            tried=chosen.tried,
            pools=chosen.pools,
            files={},
            categories=entries,
            prior=prior.tolist(),
            taxonomy_sha256=data.taxonomy.sha256,
            review_threshold=chosen.threshold,
            auto_accept_precision=options.auto_accept_precision,
            metrics=evaluation.metrics(),
            data=_facts(data, split, len(test)),
            golden=golden_of(loaded, data.rows, test, path),
            libraries={name: library_version(name) for name in LIBRARIES},
        )
        np.save(path / bundles.SEEN_KEYS, np.unique(data.keys[split.seen]))
        listen("measuring", 0.5)
        report = report_training(
            *(manifest, evaluation, data, test, truth, answers),
            cascade=cascade,
            path=path,
            settings=options,
            command=command,
        )
        write_report(report, path / bundles.REPORT)
        sealed = bundles.seal(path, models_dir, manifest)
        listen("measuring", 1.0)
    return Trained(sealed, bundles.read_manifest(sealed), evaluation)


def _classes_of(data: LabelledData, split: Split) -> tuple[list[str], NDArray[np.int64]]:
    """The classes that training sees, and each row's index among them; -1 for one that only the test has."""
    seen = set(data.codes[split.seen].tolist())
    classes = [code for code in data.classes if code in seen]
    index = {code: number for number, code in enumerate(classes)}
    return classes, np.array([index.get(code, -1) for code in data.codes.tolist()])


def _choose(
    data: LabelledData,
    split: Split,
    examples: Examples,
    prior: Sequence[float],
    options: TrainOptions,
    listen: Listener,
) -> _Chosen:
    """Cross-validate every kind that has something to read, and decide."""
    present = data.rows.take(split.seen).present
    has = {modality for number, modality in enumerate(MODALITIES) if present[:, number].any()}
    able = [kind for kind in kinds(options.stages) if kind.reads & has]
    parts = cross_validation(data.codes, data.keys, split.seen, count=FOLDS, seed=options.seed)
    folds = [Fold(fit, held) for fit, held in parts if len(held) and len(np.unique(examples.truth[fit])) > 1]
    if not folds or not able:
        what = "different titles" if able else "titles, descriptions or photos that may be used"
        raise DataInvalid(f"{data.path} has too few {what} to learn from some and measure with others.")
    if len(split.seen) > MAX_CROSS_VALIDATED:
        folds = folds[:1]
    held = held_out(able, examples, folds, lambda part: listen("cross-validating", part))
    kept, tried = choose(able, held)
    if not kept:
        raise DataInvalid(f"Nothing can be learned from {data.path}: {tried[0].why}.")
    pools = pools_of(kept, held)
    answers, truth = simulate(Route(kept, pools, prior), kept, held)
    confidence = answers.probabilities.max(axis=1).astype(np.float64)
    right = answers.probabilities.argmax(axis=1) == truth
    threshold = review_threshold(confidence, right, options.auto_accept_precision)
    return _Chosen(kept, with_shares(tried, kept, answers), pools, threshold)


def _fit(chosen: Sequence[Kind], examples: Examples, split: Split, listen: Listener) -> list[FittedStage]:
    """The stages, fitted on the whole training side."""
    fitted = []
    for number, kind in enumerate(chosen):

        def progress(part: float, number: int = number) -> None:
            listen("fitting", (number + part) / len(chosen))

        fitted.append(examples.fit(kind, split.seen, progress))
    listen("fitting", 1.0)
    return fitted


def _labels(data: LabelledData, classes: Sequence[str]) -> list[Labels]:
    shelves = {shelf.code: shelf for shelf in data.taxonomy}
    return [Labels(code=code, labels=dict(shelves[code].labels), themes=dict(shelves[code].themes)) for code in classes]


def _facts(data: LabelledData, split: Split, test: int) -> DataFacts:
    return DataFacts(
        file=data.path.name,
        sha256=data.sha256,
        rows=len(data),
        train=len(split.seen),
        test=test,
        skipped=data.problems.empty + data.problems.broken,
    )
