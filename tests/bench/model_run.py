"""One case, learned and measured: aisle's cascade, each of its stages alone, and rivals on the same rows."""

import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.cascade import Answers, Cascade
from model.comparison import rows_per_second
from model.course import Course
from model.deciding import decide, folds_of, readable
from model.evaluation import evaluate
from model.held_out import Examples
from model.kinds import LOADERS, kinds
from model.parameters import TrainOptions
from model.rows import MODALITIES, Rows
from model.stages import FittedStage, Stage, Truth
from tests.bench.model_rivals import PHOTO, TEXT, Rival
from tests.bench.model_sets import Case

AISLE: Final = "aisle"
BATCH: Final = 32
_TITLE_WORDS: Final = (3, 7)


@dataclass(frozen=True)
class Learned:
    """What was made of a course."""

    cascade: Cascade
    threshold: float
    stages: list[str]
    tried: list[str]
    took_s: float


def learn(course: Course, options: TrainOptions) -> Learned:
    """Make a cascade, as `model.training.train` does, without a bundle."""
    began = time.monotonic()
    examples = Examples(course.data.rows, course.truth, len(course.classes), options.seed)
    able = readable(kinds(options.stages), course)
    made = decide(able, course, examples, folds_of(course, options), options, lambda _part: None)
    stages = [_served(examples.fit(kind, course.split.seen, lambda _part: None)) for kind in made.kinds]
    cascade = Cascade(stages, made.pools, course.prior)
    tried = [f"{one.name}: {'kept' if one.kept else 'left out'}, {one.why}" for one in made.tried]
    return Learned(cascade, made.threshold, [kind.name for kind in made.kinds], tried, time.monotonic() - began)


def _served(stage: FittedStage) -> Stage:
    """A stage as a bundle's is: written, and loaded again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / stage.name
        stage.save(path)
        return LOADERS[stage.name](path)


def measure(case: Case, seed: int, share: float, *, rivals: bool) -> dict[str, Any]:
    """Everything that the tables need of one case."""
    course = case.course(seed, share)
    data, test = course.data, course.test
    learned = learn(course, TrainOptions(seed=seed))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    rows, truth = data.rows.take(test), course.truth[test]
    answers = learned.cascade.answer(rows)
    said = {AISLE: answers.probabilities.argmax(axis=1)}
    calls: dict[str, Callable[[Rows], object]] = {AISLE: learned.cascade.answer}
    took = {AISLE: learned.took_s}
    for name, rival, seconds in _rivals(case, course, seed, every=rivals):
        said[name], calls[name], took[name] = rival.predict(rows), rival.predict, seconds
    speeds = rows_per_second(rows, BATCH, list(calls.values())) if rivals else [None] * len(calls)
    lines = [
        {"model": name, "took_s": took[name], "rows_per_s": speed, **_scores(own, truth, len(course.classes))}
        for (name, own), speed in zip(said.items(), speeds, strict=True)
    ]
    evaluation = evaluate(answers.probabilities, truth, [(code, code) for code in course.classes], learned.threshold)
    lines[0] |= {
        "peak_mb": peak_mb,
        "confidence": answers.probabilities.max(axis=1).round(4).tolist(),
        "right": (said[AISLE] == truth).tolist(),
        "ece": evaluation.ece,
        "accepted_share": evaluation.accepted_share,
        "accepted_precision": evaluation.accepted_precision,
    }
    return {
        "case": case.name,
        "seed": seed,
        "share": share,
        "train": len(course.split.seen),
        "test": len(test),
        "classes": len(course.classes),
        "stages": learned.stages,
        "tried": learned.tried,
        "lines": lines,
        "fusion": _fusion(learned.cascade, rows, truth, answers, course.prior) if case.photos and case.texts else [],
    }


def _rivals(case: Case, course: Course, seed: int, *, every: bool) -> list[tuple[str, Rival, float]]:
    found = (TEXT if case.texts else {}) | (PHOTO if case.photos and not case.texts else {})
    data, seen = course.data, course.split.seen
    made = []
    for name, kind in list(found.items())[: None if every else 1]:
        began = time.monotonic()
        rival = kind(data.rows.take(seen), course.truth[seen], len(course.classes), seed=seed)
        made.append((name, rival, time.monotonic() - began))
    return made


def _scores(said: NDArray[np.int64], truth: Truth, classes: int) -> dict[str, float]:
    whole = evaluate(np.eye(classes)[said], truth, [(str(number), "") for number in range(classes)], 0.0)
    return {"accuracy": whole.accuracy, "weighted_f1": whole.weighted_f1, "macro_f1": whole.macro_f1}


def _fusion(cascade: Cascade, rows: Rows, truth: Truth, answers: Answers, prior: list[float]) -> list[dict[str, Any]]:
    """Part of right answers by slice, of the cascade and of each stage alone, which guesses what it cannot read."""
    right = {AISLE: answers.probabilities.argmax(axis=1) == truth}
    for stage in cascade.stages:
        guess = np.full(len(rows), int(np.argmax(prior)))
        has = rows.present[:, [modality in stage.reads for modality in MODALITIES]].any(axis=1)
        chosen = np.flatnonzero(has)
        found = stage.log_probabilities(rows.take(chosen))
        read = ~np.isnan(found[:, 0])
        guess[chosen[read]] = found[read].argmax(axis=1)
        right[stage.name] = guess == truth
    return [
        {"slice": name, "rows": int(chosen.sum()), **{who: float(own[chosen].mean()) for who, own in right.items()}}
        for name, chosen in _slices(rows).items()
        if chosen.any()
    ]


def _slices(rows: Rows) -> Mapping[str, NDArray[np.bool_]]:
    has = dict(zip(MODALITIES, rows.present.T, strict=True))
    words = np.array([len(title.split()) for title in rows.titles])
    few, many = _TITLE_WORDS
    text = has["title"] | has["description"]
    return {
        "all rows": np.ones(len(rows), np.bool_),
        "with a photo": has["image"],
        "without a photo": ~has["image"],
        "with a description": has["description"],
        "without a description": ~has["description"],
        "without any text": ~text,
        f"titles of up to {few} words": words <= few,
        f"titles of {few + 1} to {many} words": (words > few) & (words <= many),
        "titles of more words": words > many,
    }
