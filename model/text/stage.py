"""A stage of the classifier as it is served: a SavedModel called by its signature."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from model.rows import Rows
from model.stages import LogProbabilities
from model.tensorflow import tensorflow
from schemas.prediction import Modality

MAX_ROWS: Final = 512
"""Rows of one call; a longer batch goes in several, so that memory stays bounded whatever the texts."""


class TextStage:
    """The n-gram network. Its input shape is open, so no batch size ever makes it trace again.

    Args:
        path: The SavedModel's directory, named as the stage is.
    """

    reads: frozenset[Modality] = frozenset({"title", "description"})

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._tf = tensorflow()
        self._model = self._tf.saved_model.load(str(path))  # kept: the signature holds no reference to it
        self._serve = self._model.signatures["serve"]

    def log_probabilities(self, rows: Rows) -> LogProbabilities:
        """What the network makes of titles and descriptions."""
        return in_calls(self._call, rows.titles, rows.descriptions)

    def _call(self, titles: Sequence[str], descriptions: Sequence[str]) -> LogProbabilities:
        tensor = self._tf.constant
        result: LogProbabilities = self._serve(
            title=tensor(titles, self._tf.string), description=tensor(descriptions, self._tf.string)
        )["log_probabilities"].numpy()
        return result


def in_calls(
    call: Callable[[Sequence[str], Sequence[str]], LogProbabilities],
    titles: Sequence[str],
    descriptions: Sequence[str],
) -> LogProbabilities:
    """The answers of a network that is asked about a bounded number of rows at a time."""
    parts = [
        call(titles[start : start + MAX_ROWS], descriptions[start : start + MAX_ROWS])
        for start in range(0, len(titles), MAX_ROWS)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
