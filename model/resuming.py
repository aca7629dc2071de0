"""Fits that are kept as soon as they are done, and not made again when a training is gone on with."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from model.checkpoint import Checkpoint
from model.held_out import Examples, Indices
from model.kinds import Kind
from model.rows import Rows
from model.stages import FittedStage, LogProbabilities, Progress


@dataclass(frozen=True)
class Resumable(Examples):
    """Examples whose fits are kept.

    Args:
        checkpoint: Where.
    """

    checkpoint: Checkpoint

    @classmethod
    def of(cls, examples: Examples, checkpoint: Checkpoint) -> "Resumable":
        """These examples, with a checkpoint."""
        return cls(examples.rows, examples.truth, examples.classes, examples.seed, checkpoint)

    def fit(self, kind: Kind, chosen: Indices, progress: Progress) -> FittedStage:
        """A stage of this kind, fitted on some of the rows; at once where its answers are known already."""
        fit, key = super().fit, key_of(kind, chosen)
        stage = _Remembering(self.checkpoint, key, kind, lambda: fit(kind, chosen, progress))
        if not self.checkpoint.knows(key):
            stage.fitted()
        progress(1.0)
        return stage


class _Remembering:
    """A stage that keeps what it answers, and answers what was kept without having been fitted again."""

    def __init__(self, checkpoint: Checkpoint, key: str, kind: Kind, fit: Callable[[], FittedStage]) -> None:
        self.name, self.reads = kind.name, kind.reads
        self._checkpoint, self._key, self._fit = checkpoint, key, fit
        self._stage: FittedStage | None = None
        self._asked = 0

    def fitted(self) -> FittedStage:
        """The stage itself."""
        if self._stage is None:
            self._stage = self._fit()
        return self._stage

    def log_probabilities(self, rows: Rows) -> LogProbabilities:
        """As the stage answers; it is asked the same in the same order each time."""
        found = self._checkpoint.answers(self._key, self._asked)
        if found is None or len(found) != len(rows):
            found = self.fitted().log_probabilities(rows)
            self._checkpoint.keep(self._key, self._asked, found)
        self._asked += 1
        return found

    def save(self, path: Path) -> None:
        """Write the stage."""
        self.fitted().save(path)


def key_of(kind: Kind, chosen: Indices) -> str:
    """What tells a fit from the others of a training."""
    return f"{kind.name}-{sha256(chosen.astype(np.int64).tobytes()).hexdigest()[:16]}"
