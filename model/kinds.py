"""The kinds of stages that a cascade may have, cheapest first. Each imports TensorFlow only when it is used."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from model.rows import Rows
from model.stages import FittedStage, Progress, Stage, Truth
from schemas.prediction import Modality

_TEXTS: Final[frozenset[Modality]] = frozenset({"title", "description"})
_PHOTO: Final[frozenset[Modality]] = frozenset({"image"})


class Fit(Protocol):
    """Trains a stage; the same rows, classes and seed give the same one."""

    def __call__(  # noqa: D102 - the class says it
        self, rows: Rows, truth: Truth, classes: int, *, seed: int, progress: Progress
    ) -> FittedStage: ...


@dataclass(frozen=True)
class Kind:
    """A kind of stage.

    Args:
        name: Of the stage, its directory in the bundle, and `decided_by` of what it decides.
        reads: The modalities that it can read; any of them is enough.
        fit: Trains one.
        is_light: It trains in seconds, so that it can be cross-validated; others are held out once.
    """

    name: str
    reads: frozenset[Modality]
    fit: Fit
    is_light: bool = True


@dataclass(frozen=True)
class Wanted:
    """Which stages a training tries, beside the n-gram ones.

    Args:
        photos: Learn from photos, where rows have them.
        photo_weights: Pretrained weights for that; None: learn from these photos alone.
        encoder: Train a text encoder: minutes to hours.
        encoder_directory: The Hugging Face directory it begins with; None: from scratch.
        encoder_frozen: Leave that as it is, and fit only what tells the classes.
    """

    photos: bool = True
    photo_weights: Path | None = None
    encoder: bool = False
    encoder_directory: Path | None = None
    encoder_frozen: bool = False


def kinds(wanted: Wanted) -> list[Kind]:
    """The kinds to try, in the order in which they are asked."""
    found = [Kind("text", _TEXTS, _fit_text)]
    if wanted.encoder:
        found.append(Kind("encoder", _TEXTS, partial(_fit_encoder, wanted), is_light=False))
    if wanted.photos:
        found.append(Kind("image", _PHOTO, partial(_fit_photos, wanted), is_light=False))
    return found


def _fit_text(rows: Rows, truth: Truth, classes: int, *, seed: int, progress: Progress) -> FittedStage:
    from model.text.fit import fit_text

    return fit_text(rows, truth, classes, seed=seed, progress=progress)


def _load_text(path: Path) -> Stage:
    from model.text.stage import TextStage

    return TextStage(path)


def _fit_encoder(
    wanted: Wanted, rows: Rows, truth: Truth, classes: int, *, seed: int, progress: Progress
) -> FittedStage:
    from model.encoder.fitting import EncoderOptions, fit

    directory, options = wanted.encoder_directory, EncoderOptions(frozen=wanted.encoder_frozen)
    return fit(rows, truth, classes, directory=directory, options=options, seed=seed, progress=progress)


def _load_encoder(path: Path) -> Stage:
    from model.encoder.stage import load_stage

    return load_stage(path)


def _fit_photos(
    wanted: Wanted, rows: Rows, truth: Truth, classes: int, *, seed: int, progress: Progress
) -> FittedStage:
    from model.image.training import fit

    return fit(rows, truth, classes, weights=wanted.photo_weights, seed=seed, progress=progress)


def _load_photos(path: Path) -> Stage:
    from model.image.stage import PhotoStage

    return PhotoStage.load(path)


LOADERS: Final[dict[str, Callable[[Path], Stage]]] = {
    "text": _load_text,
    "encoder": _load_encoder,
    "image": _load_photos,
}
"""By the name of a stage, what makes it of its directory."""
