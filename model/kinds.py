"""The kinds of stages that a cascade may have, cheapest first. Each imports TensorFlow only when it is used."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Protocol

from pydantic import BaseModel, ConfigDict, Field, Strict

from model.rows import Rows
from model.stages import FittedStage, Former, Progress, Stage, Truth
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
        learns_on: It can begin with the weights of a former one, also for other classes.
    """

    name: str
    reads: frozenset[Modality]
    fit: Fit
    is_light: bool = True
    learns_on: bool = False


class Wanted(BaseModel):
    """Which stages are tried beside the n-gram one, and what they begin with. Paths are as on the command line."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    photos: bool = Field(True, description="Learn from photos, where rows have them.")
    photo_weights: Annotated[Path, Strict(False)] | None = Field(
        None, description="Pretrained weights for that, MobileNetV3-Small in Keras' format; unset: these photos alone."
    )
    encoder: bool = Field(False, description="Train a text encoder: minutes to hours.")
    encoder_directory: Annotated[Path, Strict(False)] | None = Field(
        None, description="The Hugging Face directory it begins with; unset: from scratch."
    )
    encoder_frozen: bool = Field(False, description="Leave that as it is, and fit only what tells the classes.")
    encoder_pretraining: int = Field(
        0, ge=0, le=1_000, description="Passes in which it first learns to guess hidden words of all texts."
    )
    encoder_teacher: Annotated[Path, Strict(False)] | None = Field(
        None, description="The Hugging Face directory of a bigger encoder to learn from; unset: from the labels alone."
    )
    encoder_catalogue: Annotated[Path, Strict(False)] | None = Field(
        None, description="A file of further products, whose categories need not be known, for these two."
    )


def kinds(wanted: Wanted, formers: Mapping[str, Former] = MappingProxyType({})) -> list[Kind]:
    """The kinds to try, in the order in which they are asked.

    Args:
        wanted: Which.
        formers: Stages of another training to begin with, by name; those of kinds that cannot are not used.

    Raises:
        EncoderUnsupported: A directory for the encoder is of an architecture that has no loader.
        EncoderInvalid: A file of it is missing or damaged.
    """
    found = [Kind("text", _TEXTS, partial(_fit_text, formers.get("text")), learns_on=True)]
    if wanted.encoder:
        _check_directories(wanted)
        found.append(Kind("encoder", _TEXTS, partial(_fit_encoder, wanted), is_light=False))
    if wanted.photos:
        found.append(Kind("image", _PHOTO, partial(_fit_photos, wanted), is_light=False))
    return found


def _fit_text(
    former: Former | None, rows: Rows, truth: Truth, classes: int, *, seed: int, progress: Progress
) -> FittedStage:
    from model.text.fit import fit_text

    return fit_text(rows, truth, classes, seed=seed, progress=progress, former=former)


def _load_text(path: Path) -> Stage:
    from model.text.stage import TextStage

    return TextStage(path)


def _fit_encoder(
    wanted: Wanted, rows: Rows, truth: Truth, classes: int, *, seed: int, progress: Progress
) -> FittedStage:
    from model.data.texts import read_texts
    from model.encoder.distillation import DirectoryTeacher
    from model.encoder.fitting import EncoderOptions, fit

    options = EncoderOptions(frozen=wanted.encoder_frozen, pretraining_epochs=wanted.encoder_pretraining)
    teacher, catalogue = wanted.encoder_teacher, wanted.encoder_catalogue
    return fit(
        *(rows, truth, classes),
        directory=wanted.encoder_directory,
        unlabelled=None if catalogue is None else read_texts(catalogue),
        teacher=None if teacher is None else DirectoryTeacher(teacher, options.max_tokens),
        options=options,
        seed=seed,
        progress=progress,
    )


def _check_directories(wanted: Wanted) -> None:
    """Look at them now: by the time the encoder's turn comes, the stages before it have trained for minutes."""
    from model.encoder.contents import read_contents

    for directory in (wanted.encoder_directory, wanted.encoder_teacher):
        if directory is not None:
            read_contents(directory)


def _load_encoder(path: Path) -> Stage:
    from model.encoder.loading import load_stage

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
