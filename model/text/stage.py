"""A stage of the classifier as it is served: a SavedModel called by its signature."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.tensorflow import tensorflow

MAX_ROWS: Final = 512
"""Rows of one call; a longer batch goes in several, so that memory stays bounded whatever the texts."""


class TextStage:
    """The n-gram network. Its input shape is open, so no batch size ever makes it trace again.

    Args:
        path: The SavedModel's directory.
    """

    def __init__(self, path: Path) -> None:
        self._tf = tensorflow()
        self._model = self._tf.saved_model.load(str(path))  # kept: the signature holds no reference to it
        self._serve = self._model.signatures["serve"]

    def probabilities(self, titles: Sequence[str], descriptions: Sequence[str]) -> NDArray[np.float32]:
        """Class probabilities [rows, classes] of cleaned texts, one row at least."""
        parts = [
            self._call(titles[start : start + MAX_ROWS], descriptions[start : start + MAX_ROWS])
            for start in range(0, len(titles), MAX_ROWS)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _call(self, titles: Sequence[str], descriptions: Sequence[str]) -> NDArray[np.float32]:
        tensor = self._tf.constant
        result: NDArray[np.float32] = self._serve(
            title=tensor(titles, self._tf.string), description=tensor(descriptions, self._tf.string)
        )["probabilities"].numpy()
        return result
