"""The yardstick: TF-IDF of words and characters into a linear SVM, by scikit-learn alone."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class Baseline:
    """TF-IDF of word 1-2-grams and char_wb 2-5-grams into LinearSVC, fitted on cleaned texts.

    Args:
        texts: Title and description of each training row, joined.
        truth: Class index of each.
        seed: Of the solver.
    """

    def __init__(self, texts: Sequence[str], truth: NDArray[np.int64], *, seed: int = 0) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import make_pipeline, make_union
        from sklearn.svm import LinearSVC

        words = TfidfVectorizer(ngram_range=(1, 2))
        chars = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5))
        self._pipeline = make_pipeline(make_union(words, chars), LinearSVC(random_state=seed))
        self._pipeline.fit(texts, truth)

    def predict(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Class index of each text."""
        found: NDArray[np.int64] = self._pipeline.predict(texts)
        return found
