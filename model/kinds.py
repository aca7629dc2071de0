"""The kinds of stages that a cascade may have, cheapest first. Each imports TensorFlow only when it is used."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from model.rows import Rows
from model.stages import FittedStage, Progress, Stage, Truth
from schemas.prediction import Modality

_TEXTS: Final[frozenset[Modality]] = frozenset({"title", "description"})


class Fit(Protocol):
    """Trains a stage; the same rows, classes and seed give the same one."""

    def __call__(self, rows: Rows, truth: Truth, classes: int, *, seed: int, progress: Progress) -> FittedStage: ...  # noqa: D102 - the class says it


@dataclass(frozen=True)
class Kind:
    """A kind of stage.

    Args:
        name: Of the stage, its directory in the bundle, and `decided_by` of what it decides.
        reads: The modalities that it can read; any of them is enough.
        fit: Trains one.
        load: Loads a saved one.
        is_light: It trains in seconds, so that cross-validation is no burden.
    """

    name: str
    reads: frozenset[Modality]
    fit: Fit
    load: Callable[[Path], Stage]
    is_light: bool = True


def _fit_text(rows: Rows, truth: Truth, classes: int, *, seed: int, progress: Progress) -> FittedStage:
    from model.text.fit import fit_text

    return fit_text(rows, truth, classes, seed=seed, progress=progress)


def _load_text(path: Path) -> Stage:
    from model.text.stage import TextStage

    return TextStage(path)


KINDS: Final = (Kind("text", _TEXTS, _fit_text, _load_text),)
BY_NAME: Final = {kind.name: kind for kind in KINDS}
