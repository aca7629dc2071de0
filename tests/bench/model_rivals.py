"""What aisle's model is measured beside: each learns from texts or photos and answers with class numbers."""

from collections.abc import Callable, Sequence
from io import BytesIO
from itertools import pairwise
from typing import Any, Final, Protocol
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from model.baseline import Baseline
from model.rows import Rows
from model.stages import Truth
from model.tensorflow import tensorflow

_BUCKETS: Final = 1 << 17
_WIDTH: Final = 100
_EPOCHS: Final = 15
_RATE: Final = 0.01
_TINY: Final = 1e-7
_SIDE: Final = 64  # pixels to which a photo is brought for its histogram
_BINS: Final = 8


class Rival(Protocol):
    """A model that was fitted."""

    def predict(self, rows: Rows) -> NDArray[np.int64]:
        """Class index of each row."""


class TfidfSvc:
    """Scikit-learn's TF-IDF into LinearSVC on title and description together.

    Args:
        rows: Products.
        truth: Class of each.
        classes: How many there are.
        seed: Of the solver.
    """

    def __init__(self, rows: Rows, truth: Truth, classes: int, *, seed: int) -> None:
        del classes
        self._model = Baseline(joined(rows), truth, seed=seed)

    def predict(self, rows: Rows) -> NDArray[np.int64]:
        """Class index of each row."""
        return self._model.predict(joined(rows))


class WordSvc:
    """Words alone, as the usual tutorial has it; the arguments are those of `TfidfSvc`."""

    def __init__(self, rows: Rows, truth: Truth, classes: int, *, seed: int) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import make_pipeline
        from sklearn.svm import LinearSVC

        del classes
        self._model = make_pipeline(TfidfVectorizer(), LinearSVC(random_state=seed)).fit(joined(rows), truth)

    def predict(self, rows: Rows) -> NDArray[np.int64]:
        """Class index of each row."""
        found: NDArray[np.int64] = self._model.predict(joined(rows))
        return found


class Bag:
    """A bag as fastText's (Joulin et al. 2016): the mean of hashed words' and pairs' vectors into a softmax.

    The arguments are those of `TfidfSvc`.
    """

    def __init__(self, rows: Rows, truth: Truth, classes: int, *, seed: int) -> None:
        tf = tensorflow()
        start = tf.random.stateless_uniform([_BUCKETS, _WIDTH], [seed, 0], -1 / _WIDTH, 1 / _WIDTH)
        self._weights = [tf.Variable(start), tf.Variable(tf.zeros([_WIDTH, classes])), tf.Variable(tf.zeros([classes]))]
        found, order, adam = self._features(rows), np.random.default_rng(seed), _LazyAdam(self._weights)
        for _ in range(_EPOCHS):
            for batch in np.array_split(order.permutation(len(rows)), max(1, len(rows) // 64)):
                with tf.GradientTape() as tape:
                    logits = self._logits([found[row] for row in batch.tolist()])
                    truths = tf.constant(truth[batch])
                    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(truths, logits))
                adam.step(tape.gradient(loss, self._weights))

    def predict(self, rows: Rows) -> NDArray[np.int64]:
        """Class index of each row."""
        found: NDArray[np.int64] = self._logits(self._features(rows)).numpy().argmax(axis=1)
        return found

    def _logits(self, features: list[list[int]]) -> Any:
        tf = tensorflow()
        table, head, bias = self._weights
        text = np.repeat(np.arange(len(features)), [len(one) for one in features])
        return tf.math.segment_mean(tf.gather(table, np.concatenate(features)), text) @ head + bias

    def _features(self, rows: Rows) -> list[list[int]]:
        found = []
        for text in joined(rows):
            words = text.split() or [""]
            pairs = [f"{one} {two}" for one, two in pairwise(words)]
            found.append([_bucket(some) for some in (*words, *pairs)])
        return found


class _LazyAdam:
    """Adam (Kingma & Ba 2015) on the rows that a batch touched: Keras' own would update 13 million numbers a step."""

    def __init__(self, weights: Sequence[Any]) -> None:
        tf = tensorflow()
        self._moments = [
            (weight, tf.Variable(tf.zeros_like(weight)), tf.Variable(tf.zeros_like(weight))) for weight in weights
        ]
        self._steps = 0

    def step(self, gradients: Sequence[Any]) -> None:
        """Go down some gradients, of which a table's is an ``IndexedSlices``."""
        tf = tensorflow()
        self._steps += 1
        scale = _RATE * np.sqrt(1 - 0.999**self._steps) / (1 - 0.9**self._steps)
        for gradient, (weight, mean, square) in zip(gradients, self._moments, strict=True):
            is_table = isinstance(gradient, tf.IndexedSlices)
            rows, own = tf.unique(gradient.indices) if is_table else (tf.range(tf.shape(weight)[0]), None)
            slope = tf.math.unsorted_segment_sum(gradient.values, own, tf.size(rows)) if is_table else gradient
            mean.scatter_update(tf.IndexedSlices(0.9 * tf.gather(mean, rows) + 0.1 * slope, rows))
            square.scatter_update(tf.IndexedSlices(0.999 * tf.gather(square, rows) + 0.001 * slope**2, rows))
            down = scale * tf.gather(mean, rows) / (tf.sqrt(tf.gather(square, rows)) + _TINY)
            weight.scatter_sub(tf.IndexedSlices(down, rows))


class ColourSvc:
    """A photo's colour histogram into LinearSVC; the arguments are those of `TfidfSvc`."""

    def __init__(self, rows: Rows, truth: Truth, classes: int, *, seed: int) -> None:
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import LinearSVC

        del classes
        self._model = make_pipeline(StandardScaler(), LinearSVC(random_state=seed, dual="auto")).fit(
            _histograms(rows), truth
        )

    def predict(self, rows: Rows) -> NDArray[np.int64]:
        """Class index of each row."""
        found: NDArray[np.int64] = self._model.predict(_histograms(rows))
        return found


TEXT: Final[dict[str, Callable[..., Rival]]] = {
    "TF-IDF words + characters, LinearSVC": TfidfSvc,
    "TF-IDF words, LinearSVC": WordSvc,
    "bag of words and pairs": Bag,
}
PHOTO: Final[dict[str, Callable[..., Rival]]] = {"colour histogram, LinearSVC": ColourSvc}


def joined(rows: Rows) -> Sequence[str]:
    """Cleaned title and description, as one text."""
    return [f"{title} {description}" for title, description in zip(rows.titles, rows.descriptions, strict=True)]


def _bucket(text: str) -> int:
    return crc32(text.encode()) % _BUCKETS


def _histograms(rows: Rows) -> NDArray[np.float64]:
    from PIL import Image

    found = []
    for photo in rows.photos:
        pixels = np.asarray(Image.open(BytesIO(photo or b"")).convert("HSV").resize((_SIDE, _SIDE))).reshape(-1, 3)
        counts, _ = np.histogramdd(pixels, bins=(_BINS,) * 3, range=[(0, 256)] * 3)
        found.append(np.sqrt(counts.ravel() / len(pixels)))
    return np.array(found)
