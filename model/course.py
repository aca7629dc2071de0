"""A data set cut up for a training: which rows teach, which measure, and which categories there are to tell apart."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.bundle import DataFacts, Labels, verify
from model.data.labelled import LabelledData, check_learnable
from model.data.split import Split, split_rows
from model.errors import DataInvalid
from model.held_out import Indices
from model.parameters import TrainOptions
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
    """

    data: LabelledData
    split: Split
    classes: list[str]
    truth: Truth
    test: Indices
    prior: list[float]

    @classmethod
    def of(cls, data: LabelledData, options: TrainOptions) -> "Course":
        """Cut a data set.

        Raises:
            DataInvalid: There is too little to learn from, or nothing left to measure with.
        """
        check_learnable(data)
        split = split_rows(
            data.codes, data.groups, seed=options.seed, test_share=options.test_share, validation_share=0.0
        )
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
        return cls(data, split, classes, truth, test, prior.tolist())

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
