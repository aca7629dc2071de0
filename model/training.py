"""Training, from a labelled data set to a sealed bundle. Importing this module imports TensorFlow."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version as library_version
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model import bundle as bundles
from model import yardsticks
from model.bundle import Manifest
from model.cascade import Answers, Cascade
from model.checkpoint import LIBRARIES, Checkpoint
from model.course import Course
from model.data.labelled import LabelledData
from model.data.languages import languages_of
from model.deciding import Decided, decide, folds_of, inherit, readable
from model.evaluation import Evaluation, evaluate
from model.golden import golden_of
from model.held_out import Examples
from model.kinds import LOADERS, Kind, kinds
from model.parameters import FILE, TrainOptions, as_toml
from model.reference import profile, write_reference
from model.report.rivals import Rival
from model.report.schema import TrainingReport
from model.report.training import report_training
from model.report.write import write_report
from model.resuming import Resumable, key_of
from model.stages import Progress
from schemas.errors import AisleError

__all__ = ["Listener", "TrainOptions", "Trained", "train"]


class Listener(Protocol):
    """Told what the training is doing: a step's name and which part of it is done, from 0 to 1."""

    def __call__(self, step: str, part: float, /) -> None: ...  # noqa: D102 - the class says it


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run made; ``notes`` say what could not be done beside it."""

    bundle: Path
    manifest: Manifest
    evaluation: Evaluation
    report: TrainingReport
    notes: list[str] = field(default_factory=list)


def train(  # noqa: PLR0913 - one argument an optional part
    data: LabelledData,
    models_dir: Path,
    options: TrainOptions = TrainOptions(),  # noqa: B008 - frozen
    listen: Listener = lambda _step, _part: None,
    command: str = "",
    *,
    checkpoint: Checkpoint | None = None,
    start: Path | None = None,
    quick: bool = False,
    corrected: bool = False,
    champion: Path | None = None,
    private: NDArray[np.bool_] | None = None,
) -> Trained:
    """Train, measure and seal a bundle.

    Each kind of stage is fitted on parts of the training side; its answers to the rest decide which stages stay, how
    they are weighed and calibrated, when the cascade stops, and from which confidence on nobody needs to look. Then
    the stages that stay are fitted on the whole side. The test side only measures.

    Args:
        data: Rows with categories.
        models_dir: Where the bundle goes, as ``<models_dir>/<version>``.
        options: The parameters.
        listen: Told of the progress.
        command: What the report says repeats the training.
        checkpoint: Where finished fits are kept, and found again; None: nowhere.
        start: A bundle whose weights the last fits begin with, where their stages can, and whose sides are kept.
        quick: Keep what was decided of that bundle, and its stages that cannot learn on, and fit the others.
        corrected: What that bundle has not seen are people's corrections; see `Course.of`.
        champion: The bundle that the report compares the new one with.
        private: Rows whose texts and photos are not to stand in the bundle or its report; None: none are.

    Raises:
        DataInvalid: There is too little to learn from, or nothing left to measure with.
        BundleInvalid: The bundle to begin with is none, is damaged, or what it decided does not suit these data.
    """
    course = Course.of(data, options, start, corrected=corrected)
    examples = Examples(data.rows, course.truth, len(course.classes), options.seed)
    if checkpoint is not None:
        examples = Resumable.of(examples, checkpoint)
    formers = course.formers(start)
    able = readable(kinds(options.stages), course)
    folds = folds_of(course, options)
    rounds = len(folds) if all(kind.is_light for kind in able) else 1  # of those that take long there is one
    share = 0.0 if quick else rounds / (rounds + 1)
    if quick and start is not None:
        decided = inherit(bundles.read_manifest(start), able, course, options)
    else:
        # By stages that begin with nothing: the former ones have learned from rows that are held out here.
        decided = decide(able, course, examples, folds, options, lambda part: listen("training", share * part))
    with bundles.staging(models_dir) as path:
        for kind in [one for one in decided.kinds if quick and not one.learns_on]:
            shutil.copytree(formers[kind.name].path, path / kind.name)
        begun = {kind.name: kind for kind in kinds(options.stages, formers)}
        chosen = [begun[kind.name] for kind in decided.kinds if not (path / kind.name).exists()]
        _fit(chosen, examples, course, path, lambda part: listen("training", share + (1 - share) * part))
        listen("measuring", 0.0)
        stages = [LOADERS[kind.name](path / kind.name) for kind in decided.kinds]
        cascade = Cascade(stages, decided.pools, course.prior, decided.offsets)
        answers, evaluation = _measured(cascade, course, decided.threshold)
        hidden = np.zeros(len(data), np.bool_) if private is None else private
        golden = golden_of(cascade.stages, data.rows, course.test[~hidden[course.test]], path)
        manifest = Manifest(
            name=options.name,
            version="",
            created_at=datetime.now(UTC),
            seed=options.seed,
            stages=[kind.name for kind in decided.kinds],
            tried=decided.tried,
            pools=decided.pools,
            files={},
            categories=course.labels,
            prior=course.prior,
            offsets=decided.offsets,
            taxonomy_sha256=data.taxonomy.sha256,
            review_threshold=decided.threshold,
            auto_accept_precision=options.auto_accept_precision,
            metrics=evaluation.metrics(),
            data=course.facts,
            golden=golden,
            libraries={name: library_version(name) for name in LIBRARIES},
        )
        _write_facts(course, options, path, start)
        _write_out_of_fold(decided, len(data), path)
        languages = languages_of(data.rows.take(course.test))
        _write_reference(course, answers, languages, path)
        listen("measuring", 0.3)
        rivals, notes = _rivals(course, options, champion, listen)
        listen("measuring", 0.6)
        report = report_training(
            *(manifest, evaluation, data, course.test, course.truth, answers),
            cascade=cascade,
            path=path,
            rivals=rivals,
            languages=languages,
            private=hidden[course.test],
            settings=options.flat(),
            command=command,
        )
        write_report(report, path / bundles.REPORT)
        sealed = bundles.seal(path, models_dir, manifest)
        listen("measuring", 1.0)
    return Trained(sealed, bundles.read_manifest(sealed), evaluation, report, notes)


def _fit(chosen: Sequence[Kind], examples: Examples, course: Course, path: Path, progress: Progress) -> None:
    """Fit the stages on the whole training side, each into its directory."""
    for number, kind in enumerate(chosen):

        def told(part: float, number: int = number) -> None:
            progress((number + part) / len(chosen))

        def make(into: Path, kind: Kind = kind, told: Progress = told) -> None:
            examples.fit(kind, course.split.seen, told).save(into)

        if isinstance(examples, Resumable):
            examples.checkpoint.stage(key_of(kind, course.split.seen), path / kind.name, make)
        else:
            make(path / kind.name)
    progress(1.0)


def _measured(cascade: Cascade, course: Course, threshold: float) -> tuple[Answers, Evaluation]:
    labels = [entry.category("en") for entry in course.labels]
    answers = cascade.answer(course.data.rows.take(course.test))
    evaluation = evaluate(
        answers.probabilities,
        course.truth[course.test],
        [(label.code, label.label) for label in labels],
        threshold,
        [label.theme for label in labels],
    )
    return answers, evaluation


def _write_facts(course: Course, options: TrainOptions, path: Path, start: Path | None) -> None:
    """What the bundle knows of its making: the rows it learned from, the taxonomy, the parameters.

    What the model that it begins with has learned it has learned too, though not all of it may have been there again.
    """
    data = course.data
    held = np.unique(data.keys[course.split.test])
    seen = np.unique(data.keys[course.split.seen])
    if start is not None and (start / bundles.SEEN_KEYS).is_file():
        seen = np.union1d(seen, np.setdiff1d(np.load(start / bundles.SEEN_KEYS, allow_pickle=False), held))
    np.save(path / bundles.SEEN_KEYS, seen)
    np.save(path / bundles.HELD_KEYS, held)
    bundles.write_taxonomy(path, data.taxonomy)
    head = (
        f"The parameters of this model. It was trained on {data.path.name}, of SHA-256 {data.sha256}.\n"
        f"aisle train {data.path.name} --config {FILE} repeats it."
    )
    (path / FILE).write_text(as_toml(options, head), encoding="utf-8")


def _write_reference(course: Course, answers: Answers, languages: Sequence[str], path: Path) -> None:
    """What the test rows look like and how they are answered: what is seen in service is held against it."""
    best = answers.probabilities.argmax(axis=1)
    predicted = [course.classes[number] for number in best.tolist()]
    confidence = answers.probabilities.max(axis=1).tolist()
    rows = course.data.rows.take(course.test)
    write_reference(path, profile(rows, languages, predicted=predicted, confidence=confidence))


def _write_out_of_fold(decided: Decided, rows: int, path: Path) -> None:
    said = np.full(rows, -1, np.int32)
    if decided.held_out is not None:
        numbers, classes = decided.held_out
        said[numbers] = classes
    np.save(path / bundles.OUT_OF_FOLD, said)


def _rivals(
    course: Course, options: TrainOptions, champion: Path | None, listen: Listener
) -> tuple[list[Rival], list[str]]:
    """The models to compare with, and why one could not be."""
    rivals, notes = [], []
    data, test = course.data, course.test
    if options.baseline:
        listen("fitting the baseline", 0.0)
        rivals.append(yardsticks.baseline(data, course.split.seen, test, course.truth, seed=options.seed))
        listen("fitting the baseline", 1.0)
    if champion is not None:
        try:
            rivals.append(yardsticks.champion(champion, data, test, course.classes))
        except (AisleError, OSError) as error:  # a champion that is broken is no reason to have no new one
            notes.append(f"not compared with the champion: {error}")
    return rivals, notes
