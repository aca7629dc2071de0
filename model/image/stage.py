"""The image stage as it is served: a SavedModel called by its signature."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.rows import Rows
from model.stages import LogProbabilities
from model.tensorflow import tensorflow
from schemas.prediction import Modality

NAME: Final = "image"

MAX_ROWS: Final = 16
"""Photos of one call; more go in several, so that memory stays bounded: at most 20 MB for each photo of a call."""


@dataclass(frozen=True)
class PhotoAnswers:
    """What the network makes of some photos.

    Args:
        log_probabilities: [rows, classes]; of a row that is not readable, the share of each class in training.
        readable: Which rows have a photo that could be decoded [rows].
    """

    log_probabilities: LogProbabilities
    readable: NDArray[np.bool_]


class PhotoStage:
    """A network over encoded photos.

    Args:
        serve: Strings [rows] to ``log_probabilities`` and ``readable``.
    """

    name = NAME
    reads: frozenset[Modality] = frozenset({"image"})

    def __init__(self, serve: Callable[..., dict[str, Any]]) -> None:
        self._tf = tensorflow()
        self._serve = serve

    @classmethod
    def load(cls, path: Path) -> "PhotoStage":
        """The stage of a SavedModel's directory."""
        model = tensorflow().saved_model.load(str(path))
        stage = cls(model.signatures["serve"])
        stage._model = model  # type: ignore[attr-defined] # kept: the signature holds no reference to it
        return stage

    def log_probabilities(self, rows: Rows) -> LogProbabilities:
        """What the photos say, [rows, classes]; NaN of one that cannot be decoded."""
        found = self.answers(rows)
        told: LogProbabilities = np.where(found.readable[:, None], found.log_probabilities, np.float32(np.nan))
        return told

    def answers(self, rows: Rows) -> PhotoAnswers:
        """What the photos say, and which of them say anything: one that cannot be decoded costs no other its answer."""
        parts = [self._call(rows.photos[start : start + MAX_ROWS]) for start in range(0, len(rows), MAX_ROWS)]
        told, readable = (np.concatenate(side) for side in zip(*parts, strict=True))
        return PhotoAnswers(told, readable)

    def _call(self, photos: Sequence[bytes | None]) -> tuple[LogProbabilities, NDArray[np.bool_]]:
        answer = self._serve(photo=self._tf.constant([photo or b"" for photo in photos], self._tf.string))
        return answer["log_probabilities"].numpy(), answer["readable"].numpy()
