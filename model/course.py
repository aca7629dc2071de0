"""A data set cut up for a training: which rows teach, which measure, and which categories there are to tell apart."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.bundle import HELD_KEYS, SEEN_KEYS, DataFacts, Labels, read_manifest, verify
from model.data.labelled import LabelledData, check_learnable
from model.data.split import Split, split_rows
from model.errors import DataInvalid
from model.held_out import Indices
from model.parameters import TrainOptions
from model.restraint import GROWN
from model.stages import Former, Truth


@dataclass(frozen=True)
class Course:
    """What a training works on.

    Args:
        data: All rows.
        split: Their sides.
        classes: The categories that the training side has, by code.
        truth: Of each row, its number among them; -1 for a category that only the test side has.
        test: The rows that measure.
        prior: Share of each class on the training side.
        taught: The classes whose share corrections have made much greater than it was in the model that the training
            begins with.
    """

    data: LabelledData
    split: Split
    classes: list[str]
    truth: Truth
    test: Indices
    prior: list[float]
    taught: tuple[int, ...] = ()

    @classmethod
    def of(
        cls, data: LabelledData, options: TrainOptions, start: Path | None = None, *, corrected: bool = False
    ) -> "Course":
        """Cut a data set.

        Args:
            data: All rows.
            options: Seed and shares.
            start: The bundle whose weights the training begins with. What it has learned teaches again and what it
                was measured by measures again, so that nothing is measured that was learned; only what is new is cut.
            corrected: What is new are people's corrections, of which categories that were lacking have more than of
                all products.

        Raises:
            DataInvalid: There is too little to learn from, or nothing left to measure with.
        """
        check_learnable(data)
        split = _cut(data, options) if start is None else _cut_as(start, data, options)
        seen = set(data.codes[split.seen].tolist())
        classes = [code for code in data.classes if code in seen]
        index = {code: number for number, code in enumerate(classes)}
        truth = np.array([index.get(code, -1) for code in data.codes.tolist()])
        test = split.test[truth[split.test] >= 0]
        if not len(test) or len(classes) < 2:
            raise DataInvalid(
                f"{data.path} has too few different titles to learn from some and measure with others.",
                hint="Each category needs several products with titles of their own.",
            )
        prior = np.bincount(truth[split.seen], minlength=len(classes)) / len(split.seen)
        taught = _taught(start, classes, prior) if corrected and start is not None else ()
        return cls(data, split, classes, truth, test, prior.tolist(), taught)

    @property
    def labels(self) -> list[Labels]:
        """The classes as a manifest keeps them."""
        shelves = {shelf.code: shelf for shelf in self.data.taxonomy}
        return [Labels.of(shelves[code]) for code in self.classes]

    @property
    def facts(self) -> DataFacts:
        """The data as a manifest tells of them."""
        return DataFacts(
            file=self.data.path.name,
            sha256=self.data.sha256,
            rows=len(self.data),
            train=len(self.split.seen),
            test=len(self.test),
            skipped=self.data.problems.empty + self.data.problems.broken,
        )

    def formers(self, bundle: Path | None) -> dict[str, Former]:
        """The stages of a model to begin with, by name; none without one.

        Raises:
            BundleInvalid: The path is no bundle, or a file of it is missing or changed.
        """
        if bundle is None:
            return {}
        manifest = verify(bundle)
        index = {entry.code: number for number, entry in enumerate(manifest.categories)}
        columns = tuple(index.get(code, -1) for code in self.classes)
        return {name: Former(bundle / name, columns) for name in manifest.stages}


def _cut(data: LabelledData, options: TrainOptions, rows: Indices | None = None) -> Split:
    """Sides of some rows; None: of all."""
    chosen = np.arange(len(data)) if rows is None else rows
    if not len(chosen):
        return Split(chosen, chosen, chosen)
    split = split_rows(
        *(data.codes[chosen], data.groups[chosen]),
        seed=options.seed,
        test_share=options.test_share,
        validation_share=0.0,
    )
    return Split(chosen[split.train], chosen[split.validation], chosen[split.test])


def _cut_as(start: Path, data: LabelledData, options: TrainOptions) -> Split:
    """The sides of a former training, with what is new shared out between them; twins of what was learned teach."""
    # What measures never teaches, whatever title or photo joins it by now to rows that do.
    held = _known(start / HELD_KEYS, data) & ~_known(start / SEEN_KEYS, data)
    learned = _groups_of(start / SEEN_KEYS, data) & ~held
    measured = (_groups_of(start / HELD_KEYS, data) | held) & ~learned
    new = _cut(data, options, np.flatnonzero(~learned & ~measured))
    train, test = (
        np.sort(np.append(np.flatnonzero(old), rows)) for old, rows in ((learned, new.train), (measured, new.test))
    )
    return Split(train, new.validation, test)


def _taught(start: Path, classes: list[str], prior: NDArray[np.float64]) -> tuple[int, ...]:
    manifest = read_manifest(start)
    before = {entry.code: share for entry, share in zip(manifest.categories, manifest.prior, strict=True)}
    held = {entry.code for entry, one in zip(manifest.categories, manifest.offsets, strict=False) if one < 0}
    return tuple(
        number
        for number, code in enumerate(classes)
        if code in held or float(prior[number]) > GROWN * before.get(code, 0.0)
    )


def _groups_of(keys: Path, data: LabelledData) -> NDArray[np.bool_]:
    """Rows of the groups that have one of the keys in a file; none where there is no such file."""
    found: NDArray[np.bool_] = np.isin(data.groups, data.groups[_known(keys, data)])
    return found


def _known(keys: Path, data: LabelledData) -> NDArray[np.bool_]:
    if not keys.is_file():
        return np.zeros(len(data), np.bool_)
    found: NDArray[np.bool_] = np.isin(data.keys, np.load(keys, allow_pickle=False))
    return found
