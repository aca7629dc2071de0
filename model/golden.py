"""Golden inputs: what a bundle answered when it was made, and must answer wherever it is loaded."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.bundle import GOLDEN_PHOTOS, Golden, Manifest
from model.errors import GoldenMismatch
from model.rows import MODALITIES, Rows
from model.stages import Stage

GOLDEN_ROWS: Final = 8
GOLDEN_TOLERANCE: Final = 1e-4
"""Probabilities differ by less than 1e-6 between processors; more than this is another model."""

_NOBODY_WROTE: Final = ("zzyzx 0xe9 \u00e9\u00df", "")


def golden_of(stages: Sequence[Stage], rows: Rows, test: NDArray[np.int64], bundle: Path) -> list[Golden]:
    """Some test rows, one text that no one wrote, and each stage's answers.

    Photos are kept in the bundle, if there is a stage that looks at them.

    Args:
        stages: As they were loaded.
        rows: The data.
        test: Which rows to choose from; at least one.
        bundle: The staged bundle.
    """
    chosen = test[np.linspace(0, len(test) - 1, min(GOLDEN_ROWS, len(test))).astype(np.int64)]
    some = rows.take(chosen)
    looks = any("image" in stage.reads for stage in stages)
    photos = (list(some.photos) if looks else []) or [None] * len(chosen)
    names: list[str | None] = []
    for number, photo in enumerate(photos):
        name = None if photo is None else f"{GOLDEN_PHOTOS}/{number}"
        if name is not None and photo is not None:
            (bundle / GOLDEN_PHOTOS).mkdir(exist_ok=True)
            (bundle / name).write_bytes(photo)
        names.append(name)
    texts = [*zip(some.raw_titles, some.raw_descriptions, names, strict=True), (*_NOBODY_WROTE, None)]
    inputs = Rows([text[0] for text in texts], [text[1] for text in texts], [*photos, None] if any(names) else ())
    answers = _answers(stages, inputs)
    return [
        Golden(title=title, description=description, photo=photo, probabilities=by_stage)
        for (title, description, photo), by_stage in zip(texts, answers, strict=True)
    ]


def check_golden(manifest: Manifest, stages: Sequence[Stage], bundle: Path) -> None:
    """Refuse stages that answer otherwise than when they were trained.

    Raises:
        GoldenMismatch: Some probability differs by more than ``GOLDEN_TOLERANCE``.
    """
    golden = manifest.golden
    photos = [(bundle / one.photo).read_bytes() if one.photo else None for one in golden]
    rows = Rows([one.title for one in golden], [one.description for one in golden], photos if any(photos) else ())
    for expected, found in zip(golden, _answers(stages, rows), strict=True):
        for name, probabilities in expected.probabilities.items():
            again = np.array(found.get(name, []))
            if again.shape != (len(probabilities),) or not np.allclose(
                again, probabilities, rtol=0, atol=GOLDEN_TOLERANCE
            ):
                raise GoldenMismatch(
                    f"Stage {name} of the bundle {bundle} does not answer as it did when it was trained.",
                    hint="Check the TensorFlow version against the manifest's, or train anew.",
                )


def _answers(stages: Sequence[Stage], rows: Rows) -> list[dict[str, list[float]]]:
    """By row and stage, the probabilities; nothing of a stage that can read nothing of the row, or fails on it."""
    found: list[dict[str, list[float]]] = [{} for _ in range(len(rows))]
    for stage in stages:
        reads = [modality in stage.reads for modality in MODALITIES]
        can = np.flatnonzero(rows.present[:, reads].any(axis=1))
        if not len(can):
            continue
        answers = np.exp(stage.log_probabilities(rows.take(can)))
        for row, answer in zip(can.tolist(), answers, strict=True):
            if not np.isnan(answer[0]):
                found[row][stage.name] = answer.tolist()
    return found
