"""What a new model is measured beside, on its own test rows. Importing this module imports TensorFlow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from model.baseline import Baseline
from model.bundle import SEEN_KEYS
from model.classifier import load_cascade
from model.data.labelled import LabelledData
from model.held_out import Indices
from model.report.rivals import Rival
from model.rows import Rows
from model.stages import Truth

BASELINE: Final = "TF-IDF + LinearSVC"


def baseline(data: LabelledData, train: Indices, test: Indices, truth: Truth, *, seed: int) -> Rival:
    """The baseline, fitted on the same training rows.

    Args:
        data: All rows.
        train: Those to fit it on.
        test: Those to ask it about.
        truth: Class index of each row of the data.
        seed: Of its solver.
    """
    fitted = Baseline(joined(data.rows.take(train)), truth[train], seed=seed)
    return Rival(BASELINE, "baseline", fitted.predict(joined(data.rows.take(test))))


def champion(bundle: Path, data: LabelledData, test: Indices, classes: Sequence[str]) -> Rival:
    """The model in service. Rows that it has learned from do not count.

    Args:
        bundle: Its bundle.
        data: All rows.
        test: Those to ask it about.
        classes: The new model's categories, by code.

    Raises:
        BundleInvalid: It is no bundle, it is damaged, or of a format that this aisle does not know.
        GoldenMismatch: It answers otherwise than when it was trained.
    """
    manifest, cascade = load_cascade(bundle)
    index = {code: number for number, code in enumerate(classes)}
    own = np.array([index.get(entry.code, -1) for entry in manifest.categories])
    said = own[cascade.answer(data.rows.take(test)).probabilities.argmax(axis=1)]
    unseen = ~np.isin(data.keys[test], np.load(bundle / SEEN_KEYS, allow_pickle=False))
    return Rival(f"{manifest.name} {manifest.version}", "champion", said, unseen=unseen)


def joined(rows: Rows) -> list[str]:
    """Title and description of each row as one text, which is what the baseline reads."""
    return [f"{title} {description}" for title, description in zip(rows.titles, rows.descriptions, strict=True)]
