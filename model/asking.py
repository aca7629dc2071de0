"""Asking a stage that may fail: what it breaks on keeps the answer of the stages before it."""

import logging
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.stages import LogProbabilities

Indices = NDArray[np.int64]

Ask = Callable[[Indices], LogProbabilities]
"""Gives a stage's answers to some rows, by their numbers."""

MOST_CALLS: Final = 32
"""Calls to find the rows of a batch that a stage breaks on; one among 512 takes 20. Beyond that the stage is broken
for all, and is not asked about each of them."""

_REASON_CHARS = 200  # TensorFlow's messages hold whole graphs

logger = logging.getLogger(__name__)
logger.addHandler(logging.NullHandler())  # without it a command line shows the traceback, beside the answer's note


def ask(
    stage: str, call: Ask, rows: Indices, answered: NDArray[np.bool_], classes: int
) -> tuple[LogProbabilities, dict[int, str]]:
    """What a stage answers; where it raises, its answers to all rows but those it raises on.

    Args:
        stage: Its name, for the log.
        call: Asks it.
        rows: Numbers of the rows to ask about, one at least.
        answered: Of each, whether a stage before this one has answered.
        classes: How many there are.

    Returns:
        Answers [rows, classes], NaN of rows that the stage raises on; and what it raises, by position.

    Raises:
        Exception: What the stage raises on rows that no other has answered. The caller knows how to tell a poison
            among products from a broken model.
    """
    try:
        return call(rows), {}
    except Exception as error:
        if not answered.any():
            raise
        logger.warning("stage %s fails on a batch of %d: %s", stage, len(rows), _reason(error), exc_info=True)
    found = np.full((len(rows), classes), np.nan, np.float32)
    # Asked once more as they are: what went wrong may be over, and if not, those without an answer raise at once.
    waiting = [part for part in (np.flatnonzero(answered), np.flatnonzero(~answered)) if len(part)]
    why: dict[int, str] = {}
    calls = 0
    while waiting:
        part, calls = waiting.pop(), calls + 1
        try:
            found[part] = call(rows[part])
        except Exception as error:
            if not answered[part].all():
                raise
            if len(part) == 1 or calls >= MOST_CALLS:
                why |= dict.fromkeys(part.tolist(), _reason(error))
            else:
                waiting += np.array_split(part, 2)
    return found, why


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:_REASON_CHARS]
