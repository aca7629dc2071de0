"""Distillation: a small network learns what a bigger one makes of rows, those without a label too.

What a teacher makes of a row that it has learned from is hardly more than the label again. So it has to say of each
row what it makes of it without having learned from it. Importing this module imports TensorFlow.
"""

from pathlib import Path
from typing import Final, Protocol

import numpy as np

from model.encoder.directory import load_directory
from model.encoder.head import chosen, logistic
from model.encoder.sides import folds
from model.encoder.stage import EncoderStage
from model.encoder.weights import Floats
from model.errors import DataInvalid
from model.rows import Rows
from model.stages import LogProbabilities, Progress, Truth

FOLDS: Final = 5

_OF_VECTORS = 0.9  # of the work


class Teacher(Protocol):
    """What knows better. Of a trained stage that has not seen the rows, its answers to them are enough."""

    def __call__(self, rows: Rows, truth: Truth, classes: int, *, seed: int, progress: Progress) -> LogProbabilities:
        """What it makes of each row, not having learned from that row.

        Args:
            rows: The rows.
            truth: Class index of each, for a teacher that learns from the others; below 0 where nobody may know it.
            classes: How many classes there are.
            seed: Of whatever it draws.
            progress: Told which part is done.
        """
        ...


class DirectoryTeacher:
    """An encoder that stays as it is, under classes' layers that are fitted crosswise.

    Args:
        directory: In the Hugging Face layout; a trained stage's, too.
        max_tokens: Most tokens of a row.
    """

    def __init__(self, directory: Path, max_tokens: int) -> None:
        self._directory, self._max_tokens = directory, max_tokens

    def __call__(self, rows: Rows, truth: Truth, classes: int, *, seed: int, progress: Progress) -> LogProbabilities:
        """Of a row in a fold, what the layer fitted to the other folds says; of a row without a label, their mean.

        Raises:
            DataInvalid: There are too few titles to be cut into folds.
            EncoderUnsupported: The directory is of an architecture that has no loader.
            EncoderInvalid: A file of it is missing or damaged.
        """
        parts = folds(rows, truth, FOLDS, seed)
        if len(parts) < 2:
            raise DataInvalid("A teacher needs rows of two or more titles to learn from.")
        from scipy.special import log_softmax

        features = self._features(rows, classes, lambda part: progress(_OF_VECTORS * part))
        penalty, sharpness = chosen(features, truth, classes, *parts[0])
        found = np.zeros((len(truth), classes), np.float32)
        rest = np.flatnonzero(truth < 0)
        for number, (fit, held) in enumerate(parts):
            kernel, bias = logistic(features[fit], truth[fit], classes, penalty)
            found[held] = log_softmax(sharpness * (features[held] @ kernel + bias), axis=1)
            found[rest] += log_softmax(sharpness * (features[rest] @ kernel + bias), axis=1) / len(parts)
            progress(_OF_VECTORS + (1 - _OF_VECTORS) * (number + 1) / len(parts))
        return found

    def _features(self, rows: Rows, classes: int, progress: Progress) -> Floats:
        loaded = load_directory(self._directory, classes, np.random.default_rng(0))
        most = min(self._max_tokens, loaded.network.encoder.shape.max_tokens)
        stage = EncoderStage(loaded.network, loaded.tokenizer, loaded.config, most)
        return stage.features(stage.tokens.of(rows), progress)
