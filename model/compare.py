"""Two bundles side by side: what their manifests and reports say, and what they answer to the same rows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from model.bundle import HELD_KEYS, REPORT, SEEN_KEYS, Manifest, read_manifest
from model.data.labelled import LabelledData
from model.report.rivals import Rival, compare
from model.report.schema import Comparison, TrainingReport
from model.report.write import JSON

_SPEED_ROWS: Final = 128


class RecallChange(BaseModel):
    """How well a category was found by each; None where one does not know it or had no row of it."""

    code: str
    label: str
    rows: int = Field(description="Of the second one's measurement.")
    first: float | None
    second: float | None

    @property
    def change(self) -> float:
        """The second one's less the first one's, a category that one has not found at all as 0."""
        return (self.second or 0.0) - (self.first or 0.0)


class BundleFacts(BaseModel):
    """What there is to know of one without asking it anything."""

    name: str
    version: str
    data_file: str
    data_rows: int
    categories: int
    stages: list[str]
    bundle_bytes: int
    metrics: dict[str, float]
    rows_per_s: dict[str, float] = Field(default={}, description="By stage, measured when it was trained.")


class OnData(BaseModel):
    """The answers of both to rows that neither learned from. In the comparison the second one is ``own``."""

    file: str
    left_out: int = Field(description="Rows that one of them learned from.")
    comparison: Comparison
    recalls: list[RecallChange]


class BundleComparison(BaseModel):
    """Both, and how the second differs."""

    first: BundleFacts
    second: BundleFacts
    same_rows: bool = Field(description="Whether their own metrics were measured on the same rows.")
    recalls: list[RecallChange] = Field(description="Each on its own test rows; largest changes first.")
    on_data: OnData | None = None


def compare_bundles(first: Path, second: Path) -> BundleComparison:
    """What the bundles say of themselves.

    Raises:
        BundleInvalid: One of them is no bundle.
    """
    reports = _recalls(first), _recalls(second)
    return BundleComparison(
        first=_facts(first), second=_facts(second), same_rows=_same_rows(first, second), recalls=_changes(*reports)
    )


def compare_on(first: Path, second: Path, data: LabelledData, *, seed: int = 0) -> OnData | None:
    """What the bundles answer to the rows of a data set that neither learned from. Imports TensorFlow.

    Args:
        first: A bundle, which is verified.
        second: Another one.
        data: Rows with categories; a category that a bundle does not know is one that it gets wrong.
        seed: Of the bootstrap.

    Returns:
        The paired figures; None where no such row is left.

    Raises:
        BundleInvalid: One is no bundle, or it is damaged.
    """
    from model.classifier import load_cascade
    from model.comparison import rows_per_second

    unseen = np.flatnonzero(~(_learned(first, data) | _learned(second, data)))
    if not len(unseen):
        return None
    rows, codes = data.rows.take(unseen), data.codes[unseen]
    loaded = [load_cascade(bundle) for bundle in (first, second)]
    classes = sorted({*codes.tolist(), *(entry.code for manifest, _ in loaded for entry in manifest.categories)})
    index = {code: number for number, code in enumerate(classes)}
    truth = np.array([index[code] for code in codes.tolist()])
    said = [
        np.array([index[entry.code] for entry in manifest.categories])[cascade.answer(rows).probabilities.argmax(1)]
        for manifest, cascade in loaded
    ]
    speeds = rows_per_second(rows, _SPEED_ROWS, [cascade.answer for _, cascade in loaded])
    manifest = loaded[0][0]
    rival = Rival(
        f"{manifest.name} {manifest.version}", "other", said[0], rows_per_s=speeds[0], own_rows_per_s=speeds[1]
    )
    comparison = compare(rival, said[1], truth, data.groups[unseen], classes=len(classes), seed=seed)
    if comparison is None:
        return None
    found = [_recalls_of(answers, truth, classes, data) for answers in said]
    left_out = len(data) - len(unseen)
    return OnData(file=data.path.name, left_out=left_out, comparison=comparison, recalls=_changes(*found))


_Recalls = Mapping[str, tuple[str, float, int]]
"""Label, recall and rows by code."""


def _facts(bundle: Path) -> BundleFacts:
    manifest, report = read_manifest(bundle), _report(bundle)
    speeds = {stage.name: stage.rows_per_s for stage in report.stages if stage.rows_per_s} if report else {}
    return BundleFacts(
        name=manifest.name,
        version=manifest.version,
        data_file=manifest.data.file,
        data_rows=manifest.data.rows,
        categories=len(manifest.categories),
        stages=manifest.stages,
        bundle_bytes=sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file()),
        metrics=manifest.metrics,
        rows_per_s=speeds,
    )


def _report(bundle: Path) -> TrainingReport | None:
    """A bundle's report; None for one that was made without, or by another release."""
    try:
        return TrainingReport.model_validate_json((bundle / REPORT / JSON).read_bytes())
    except (OSError, ValueError):
        return None


def _recalls(bundle: Path) -> _Recalls:
    report = _report(bundle)
    scores = report.evaluation.classes if report else []
    return {score.code: (score.label, score.recall, score.rows) for score in scores if score.rows}


def _recalls_of(
    said: NDArray[np.int64], truth: NDArray[np.int64], classes: Sequence[str], data: LabelledData
) -> _Recalls:
    rows = np.bincount(truth, minlength=len(classes))
    hits = np.bincount(truth[said == truth], minlength=len(classes))
    return {
        code: (data.taxonomy.category(code, "en").label, float(hits[number] / rows[number]), int(rows[number]))
        for number, code in enumerate(classes)
        if rows[number]
    }


def _changes(first: _Recalls, second: _Recalls) -> list[RecallChange]:
    changes = [
        RecallChange(
            code=code,
            label=(second.get(code) or first[code])[0],
            rows=second[code][2] if code in second else 0,
            first=first[code][1] if code in first else None,
            second=second[code][1] if code in second else None,
        )
        for code in {**first, **second}
    ]
    return sorted(changes, key=lambda change: (-abs(change.change), change.code))


def _learned(bundle: Path, data: LabelledData) -> NDArray[np.bool_]:
    return np.isin(data.keys, np.load(bundle / SEEN_KEYS, allow_pickle=False))


def _same_rows(first: Path, second: Path) -> bool:
    """Whether both measured on rows with the same keys, of the same file."""
    manifests: list[Manifest] = [read_manifest(bundle) for bundle in (first, second)]
    if manifests[0].data.sha256 != manifests[1].data.sha256:
        return False
    paths = [bundle / HELD_KEYS for bundle in (first, second)]
    if not all(path.is_file() for path in paths):
        return False
    return bool(np.array_equal(*(np.load(path, allow_pickle=False) for path in paths)))
