"""What the stages of the cascade have in common: how each is trained, kept and served."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model.rows import Rows
from schemas.prediction import Modality

LogProbabilities = NDArray[np.float32]
"""Natural logarithms of class probabilities, [rows, classes]; each row's probabilities add up to 1."""

Truth = NDArray[np.int64]
"""Class index of each row."""

Progress = Callable[[float], None]
"""Told which part of a step is done, from 0 to 1."""


class Reader(Protocol):
    """Whatever has a stage's name, and the modalities that the stage can read; any of them is enough."""

    @property
    def name(self) -> str: ...  # noqa: D102 - the class says it

    @property
    def reads(self) -> frozenset[Modality]: ...  # noqa: D102 - the class says it


class Stage(Reader, Protocol):
    """A network in service. It is asked only about rows that have something of what it reads."""

    def log_probabilities(self, rows: Rows) -> LogProbabilities:
        """What the stage makes of some rows, one at least; blocks, and bounds its memory whatever their number.

        NaN for a row whose photo turns out to be broken.
        """


class FittedStage(Stage, Protocol):
    """A network that was just trained: it answers as the saved one will, to 1e-5."""

    def save(self, path: Path) -> None:
        """Write it into a new directory, from which the stage's loader makes a `Stage`.

        Raises:
            OSError: The disk is full, or the path cannot be written.
        """


@dataclass(frozen=True)
class Former:
    """A saved stage of the same kind, of another training, whose weights a fit may begin with.

    Args:
        path: Its directory.
        columns: Its class for each class of the fit; -1 for one that it does not know.
    """

    path: Path
    columns: tuple[int, ...]
