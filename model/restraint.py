"""How far a category that was just taught holds back, so that it takes little from those that were known before.

People correct what is wrong: among their verdicts a category that the model lacked is far more frequent than among the
products that come. A model that learns from them believes in it too readily. Its log-probability is lowered until, of
held-out rows of other categories that are right without it, hardly any is lost to it (threshold moving: Elkan 2001,
"The Foundations of Cost-Sensitive Learning").
"""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.stages import Truth

MOST_TAKEN: Final = 0.001
"""Share of the others' rows, right without it, that a taught category may take. Of 978 golden rows of a catalogue to
which a category of 1,000 rows was taught, 10 were lost without this, at a recall of 0.947; with twice this share 1, at
0.912."""

FURTHEST: Final = -2.0
"""It holds back no further: then it cannot be told from the others, and a person sees more of it."""

GROWN: Final = 2.0
"""A category was taught when its share of the rows has grown by this factor."""

_TINY: Final = 1e-12


def offsets(probabilities: NDArray[np.floating[Any]], truth: Truth, taught: Iterable[int]) -> list[float]:
    """What is added to the log-probability of each class; 0 for those that were not taught.

    Args:
        probabilities: Of held-out rows, [rows, classes].
        truth: Their classes.
        taught: The classes that hold back.
    """
    logs = np.log(probabilities.astype(np.float64) + _TINY)
    found = np.zeros(logs.shape[1])
    for label in taught:
        others = np.delete(logs, label, axis=1)
        names = np.delete(np.arange(logs.shape[1]), label)
        right = (truth != label) & (names[others.argmax(axis=1)] == truth)
        ahead = np.sort((logs[:, label] - others.max(axis=1))[right])[::-1]
        most = int(MOST_TAKEN * len(ahead))
        if most < len(ahead):
            found[label] = np.clip(-ahead[most], FURTHEST, 0.0)
    return found.tolist()
