"""How far a label is from what all other rows say: what tells random labels from honest ones that are hard to guess."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.data.split import cross_validation

Floats = NDArray[np.float64]

_FOLDS: Final = 5
_CHARS: Final = 300  # of a text: what decides is said early


def deficits(texts: Sequence[str], truth: NDArray[np.int64], keys: NDArray[np.uint64], *, seed: int) -> Floats:
    """By how much a model that has not seen a row prefers another label to the row's own; 0 where it agrees.

    Each row is held out once, with all rows of its key, and asked of a linear SVM on word 1-2-grams that the other
    rows have taught. What it says of one label is compared with what it says of the best, as margins, so figures of
    one call are comparable with each other and with nothing else.

    Args:
        texts: Cleaned texts.
        truth: Class index of each row's label.
        keys: Rows with one key are held out together.
        seed: Of the folds and the solver.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    features = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32)
    known = features.fit_transform([text[:_CHARS] for text in texts])
    found = np.zeros(len(truth))
    codes = truth.astype(str)
    for learned, held in cross_validation(codes, keys, np.arange(len(truth)), count=_FOLDS, seed=seed):
        classes = np.unique(truth[learned])
        if len(classes) < 2 or not len(held):
            continue
        margins = _margins(LinearSVC(random_state=seed).fit(known[learned], truth[learned]), known[held])
        own = _own(margins, classes, truth[held])
        found[held] = margins.max(axis=1) - own
    return found


def _margins(fitted: Any, rows: Any) -> Floats:
    """[rows, classes]; of two classes the library gives one column."""
    margins: Floats = fitted.decision_function(rows)
    return margins if margins.ndim > 1 else np.stack([-margins, margins], axis=1)


def _own(margins: Floats, classes: NDArray[np.int64], truth: NDArray[np.int64]) -> Floats:
    """The margin of each row's own label; of a label that was not learned that of the least likely one."""
    place = np.searchsorted(classes, truth).clip(max=len(classes) - 1)
    known = classes[place] == truth
    found: Floats = np.where(known, margins[np.arange(len(truth)), place], margins.min(axis=1))
    return found
