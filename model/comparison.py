"""A bundle measured on a data set, alone or beside the baseline. Importing this module imports TensorFlow."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

import numpy as np
from pydantic import BaseModel

from model.baseline import Baseline
from model.bundle import SEEN_KEYS, Manifest
from model.classifier import load_cascade
from model.data.labelled import LabelledData
from model.errors import DataInvalid
from model.evaluation import Evaluation, evaluate
from model.rows import Rows

BATCHES: Final = (32, 128)
"""Rows a call at which speed is measured: what the streams send when there is little and much to do."""

_ROUNDS = 5
_ROWS_A_ROUND = 1_280
_PHOTOS = 128  # in memory, so that no disk is measured


class Scores(BaseModel):
    """One line of the comparison."""

    name: str
    accuracy: float
    weighted_f1: float
    macro_f1: float
    rows_per_s: dict[int, float] = {}


@dataclass(frozen=True)
class Measured:
    """A bundle's evaluation, and the comparison where one was asked for.

    ``left_out`` counts the rows that the bundle learned from, which say nothing about it.
    """

    manifest: Manifest
    evaluation: Evaluation
    left_out: int
    lines: list[Scores]


def measure(bundle: Path, data: LabelledData, *, baseline: bool) -> Measured:
    """Evaluate a bundle on the rows of a data set that it did not learn from.

    The bundle remembers a key of every row it learned from, so that the file it was trained on yields its
    own test side, and another file all but the titles they share.

    Args:
        bundle: The bundle, which is verified.
        data: Rows whose categories the bundle knows.
        baseline: Also fit the baseline on the rows the bundle learned from, and measure both one's speed.

    Raises:
        BundleInvalid: The path is no bundle, or it is damaged.
        DataInvalid: No row is left to measure with, or none to fit the baseline on.
    """
    manifest, cascade = load_cascade(bundle)
    seen = np.isin(data.keys, np.load(bundle / SEEN_KEYS, allow_pickle=False))
    test = np.flatnonzero(~seen)
    if not len(test):
        raise DataInvalid(f"The model learned from every row of {data.path}.", hint="Give rows that it has not seen.")
    if baseline and not seen.any():
        raise DataInvalid(
            f"{data.path} has none of the rows the model learned from, so the baseline has nothing to learn from.",
            hint="Leave out --baseline, or give the file the model was trained on.",
        )
    index = {entry.code: number for number, entry in enumerate(manifest.categories)}
    truth = np.array([index[code] for code in data.codes.tolist()])
    rows = data.rows.take(test)
    names = [(entry.code, entry.category("en").label) for entry in manifest.categories]
    evaluation = evaluate(cascade.answer(rows).probabilities, truth[test], names, manifest.review_threshold)
    lines = [_scores(manifest.name, evaluation)]
    if baseline:
        rival = Baseline(_joined(data.rows.take(np.flatnonzero(seen))), truth[seen], seed=manifest.seed)
        answers = np.eye(len(index))[rival.predict(_joined(rows))]
        lines.append(_scores("TF-IDF + LinearSVC", evaluate(answers, truth[test], names, 0.0)))
        for size in BATCHES:
            speeds = rows_per_second(rows, size, [cascade.answer, lambda some: rival.predict(_joined(some))])
            for line, speed in zip(lines, speeds, strict=True):
                line.rows_per_s[size] = speed
    return Measured(manifest, evaluation, int(seen.sum()), lines)


def rows_per_second(rows: Rows, size: int, calls: list[Callable[[Rows], object]]) -> list[float]:
    """Rows a second of each call, taken in turns so that what else the machine does hits all alike.

    Args:
        rows: What to call with; repeated where there are too few. Texts are cleaned and photos read beforehand.
        size: Rows of a call.
        calls: What is measured.
    """
    rows = rows.take(np.arange(min(len(rows), _PHOTOS))).in_memory() if rows.photos else rows
    order = np.resize(np.arange(len(rows)), _ROWS_A_ROUND // size * size)
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    for call in calls:
        for batch in batches:
            call(rows.take(batch))
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(_ROUNDS):
        for call, times in zip(calls, taken, strict=True):
            fresh = [rows.take(batch) for batch in batches]
            begin = perf_counter()
            for some in fresh:
                call(some)
            times.append(perf_counter() - begin)
    return [len(order) / median(times) for times in taken]


def _joined(rows: Rows) -> list[str]:
    return [f"{title} {description}" for title, description in zip(rows.titles, rows.descriptions, strict=True)]


def _scores(name: str, evaluation: Evaluation) -> Scores:
    return Scores(
        name=name,
        accuracy=evaluation.accuracy,
        weighted_f1=evaluation.weighted_f1,
        macro_f1=evaluation.macro_f1,
    )
