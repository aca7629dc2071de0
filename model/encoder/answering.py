"""What every engine of the encoder has in common: texts become batches of tokens, and these an engine's answers."""

from abc import ABC, abstractmethod

import numpy as np

from model.encoder.tokens import Ints, Texts, Tokens
from model.encoder.weights import Floats
from model.rows import Rows
from model.stages import LogProbabilities
from schemas.prediction import Modality

_ROWS_A_PASS = 8_192  # whose tokens are in memory at a time


class Answering(ABC):
    """An encoder in service.

    Args:
        tokens: Makes tokens of texts, and batches of them.
    """

    name: str = "encoder"
    reads: frozenset[Modality] = frozenset({"title", "description"})

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens

    @property
    @abstractmethod
    def classes(self) -> int:
        """How many classes it knows."""

    @abstractmethod
    def answer(self, ids: Ints, segments: Ints, mask: Ints) -> Floats:
        """Log-probabilities [rows, classes] of one batch, whose length is one of the tokens' buckets."""

    def log_probabilities(self, rows: Rows) -> LogProbabilities:
        """Log-probabilities [rows, classes] of some rows, one at least."""
        parts = [
            self.of_texts(self.tokens.of(rows.take(np.arange(start, min(start + _ROWS_A_PASS, len(rows))))))
            for start in range(0, len(rows), _ROWS_A_PASS)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def of_texts(self, texts: Texts) -> LogProbabilities:
        """Log-probabilities [rows, classes] of tokens."""
        found = np.empty((len(texts.ids), self.classes), np.float32)
        for batch in self.tokens.batches(texts):
            found[batch.rows] = self.answer(batch.ids, batch.segments, batch.mask)
        return found
