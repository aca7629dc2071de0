"""What held-out answers decide of a model before it is fitted: its stages, their weights, when to stop and review."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from model.bundle import Manifest, StageFacts
from model.calibration import review_threshold
from model.cascade import Route
from model.choice import choose, pools_of, simulate, with_shares
from model.course import Course
from model.data.split import cross_validation
from model.errors import BundleInvalid, DataInvalid
from model.fusion import Pool
from model.held_out import Examples, Fold, Indices, held_out
from model.kinds import Kind
from model.parameters import TrainOptions
from model.restraint import offsets
from model.rows import MODALITIES
from model.stages import Progress, Truth

FOLDS: Final = 5
MAX_CROSS_VALIDATED: Final = 20_000
"""More rows than this have enough in one part held out."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What is to be made.

    Args:
        kinds: The stages, in the order in which they are asked.
        tried: Those and the ones left out, with the reasons.
        pools: How answers are weighed.
        threshold: The confidence from which on nobody needs to look.
        offsets: What is added to the log-probability of each class; empty: nothing.
        held_out: Rows of the training side, and the class that such a model gave each without having learned from it.
    """

    kinds: list[Kind]
    tried: list[StageFacts]
    pools: list[Pool]
    threshold: float
    offsets: list[float] = field(default_factory=list)
    held_out: tuple[Indices, Truth] | None = None


def readable(kinds: Sequence[Kind], course: Course) -> list[Kind]:
    """The kinds that have something to read on the training side."""
    present = course.data.rows.take(course.split.seen).present
    has = {modality for number, modality in enumerate(MODALITIES) if present[:, number].any()}
    return [kind for kind in kinds if kind.reads & has]


def folds_of(course: Course, options: TrainOptions) -> list[Fold]:
    """The parts of the training side that are held out in turn; of a large side the first alone."""
    data, seen = course.data, course.split.seen
    parts = cross_validation(data.codes, data.groups, seen, count=FOLDS, seed=options.seed)
    folds = [Fold(fit, held) for fit, held in parts if len(held) and len(np.unique(course.truth[fit])) > 1]
    return folds[:1] if len(seen) > MAX_CROSS_VALIDATED else folds


def decide(
    kinds: Sequence[Kind],
    course: Course,
    examples: Examples,
    folds: Sequence[Fold],
    options: TrainOptions,
    progress: Progress,
) -> Decided:
    """Cross-validate the kinds, and decide.

    Raises:
        DataInvalid: There is too little to learn from.
    """
    if not folds or not kinds:
        what = "different titles" if kinds else "titles, descriptions or photos that may be used"
        raise DataInvalid(f"{course.data.path} has too few {what} to learn from some and measure with others.")
    held = held_out(kinds, examples, folds, progress)
    kept, tried = choose(kinds, held)
    if not kept:
        raise DataInvalid(f"Nothing can be learned from {course.data.path}: {tried[0].why}.")
    pools = pools_of(kept, held)
    answers, some = simulate(Route(kept, pools, course.prior), kept, held)
    restraint = offsets(answers.probabilities, held.truth[some], course.taught) if course.taught else []
    if any(restraint):
        answers, some = simulate(Route(kept, pools, course.prior, restraint), kept, held)
    confidence = answers.probabilities.max(axis=1).astype(np.float64)
    said = answers.probabilities.argmax(axis=1)
    right = said == held.truth[some]
    threshold = review_threshold(confidence, right, options.auto_accept_precision)
    return Decided(kept, with_shares(tried, kept, answers), pools, threshold, restraint, (held.rows[some], said))


def inherit(manifest: Manifest, kinds: Sequence[Kind], course: Course, options: TrainOptions) -> Decided:
    """What was decided of a former model, for one that differs from it by some new rows, or a new category.

    Args:
        manifest: Of the former model.
        kinds: Those that may be tried.
        course: What the new one works on.
        options: Its parameters.

    Raises:
        BundleInvalid: It has a stage that is not wanted, or that cannot learn the new categories from where it is, or
            its threshold is for another precision.
    """
    by_name = {kind.name: kind for kind in kinds}
    same = course.classes == [entry.code for entry in manifest.categories]
    for name in manifest.stages:
        if name not in by_name or not (same or by_name[name].learns_on):
            what = (
                "is not wanted" if name not in by_name else "knows other categories, and cannot learn new ones quickly"
            )
            raise BundleInvalid(f"The stage {name} of {manifest.version} {what}.", hint="Train without --quick.")
    if options.auto_accept_precision != manifest.auto_accept_precision:
        raise BundleInvalid(
            f"The review threshold of {manifest.version} is for a precision of {manifest.auto_accept_precision:g}.",
            hint="Train without --quick.",
        )
    tried = [one.model_copy(update={"why": f"as in {manifest.version}: {one.why}"}) for one in manifest.tried]
    kept = [by_name[name] for name in manifest.stages]
    known = {entry.code: one for entry, one in zip(manifest.categories, manifest.offsets, strict=False)}
    restraint = [known.get(code, 0.0) for code in course.classes]
    return Decided(kept, tried, manifest.pools, manifest.review_threshold, restraint)
