"""Texts as one sparse matrix: the training side of :mod:`model.text.ngrams`.

Importing this module imports TensorFlow.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.tensorflow import tensorflow
from model.text import ngrams

tf = tensorflow()
Matrix = Any  # scipy.sparse.csr_matrix, which ships no types

_BATCH = 1_024


@dataclass(frozen=True)
class Counts:
    """How often each row has each bucket, in the two views; both matrices are [rows, BUCKETS]."""

    words: Matrix
    chars: Matrix

    def take(self, rows: NDArray[np.int64]) -> "Counts":
        """The counts of some rows."""
        return Counts(self.words[rows], self.chars[rows])


@dataclass(frozen=True)
class Idf:
    """Weight of each bucket in the two views; 0 for a bucket that no training row has."""

    words: NDArray[np.float64]
    chars: NDArray[np.float64]

    @classmethod
    def fit(cls, counts: Counts) -> "Idf":
        """Smooth inverse document frequency, ln((1 + rows) / (1 + df)) + 1, as scikit-learn defines it."""
        return cls(_idf(counts.words), _idf(counts.chars))

    def weigh(self, counts: Counts) -> Matrix:
        """The feature matrix [rows, 2 x BUCKETS]: each view weighted and brought to length 1.

        The length of a row is the root of sum(count x idf^2), in which a feature that occurs twice counts
        as two: so it is a sum over words, and what belongs to a word can be summed beforehand.
        """
        from scipy import sparse

        views = [(counts.words, self.words), (counts.chars, self.chars)]
        return sparse.hstack([_unit_length(view, idf) for view, idf in views], format="csr")


def count_ngrams(
    titles: Sequence[str], descriptions: Sequence[str], progress: Callable[[float], None] = lambda _: None
) -> Counts:
    """Count the n-grams of cleaned texts, in batches of bounded size.

    Args:
        titles: Cleaned titles.
        descriptions: Cleaned descriptions, as many.
        progress: Told which part is done, from 0 to 1.
    """
    from scipy import sparse

    spec = tf.TensorSpec([None], tf.string)
    graph = tf.function(_positions, input_signature=[spec, spec])
    words: list[Matrix] = []
    chars: list[Matrix] = []
    for start in range(0, len(titles), _BATCH):
        batch = titles[start : start + _BATCH], descriptions[start : start + _BATCH]
        view = graph(*(tf.constant(list(texts), tf.string) for texts in batch))
        for into, (rows, buckets) in zip((words, chars), view, strict=True):
            into.append(_counted(rows.numpy(), buckets.numpy(), len(batch[0])))
        progress((start + len(batch[0])) / len(titles))
    return Counts(sparse.vstack(words, format="csr"), sparse.vstack(chars, format="csr"))


def vocabulary(titles: Sequence[str], descriptions: Sequence[str], most: int) -> list[str]:
    """The words of cleaned texts, most frequent first (ties in alphabetical order), ``most`` of them at most."""
    seen: Counter[bytes] = Counter()
    for start in range(0, len(titles), _BATCH):
        batch = slice(start, start + _BATCH)
        seen.update(ngrams.words(joined(titles[batch], descriptions[batch]))[1].numpy().tolist())
    ranked = sorted(seen.items(), key=lambda item: (-item[1], item[0]))
    return [word.decode() for word, _ in ranked[:most]]


def joined(titles: ngrams.Tensor, descriptions: ngrams.Tensor) -> ngrams.Tensor:
    """Title and description as the one text that features are taken from."""
    return tf.strings.join([titles, descriptions], separator=" ")


def _positions(titles: ngrams.Tensor, descriptions: ngrams.Tensor) -> list[tuple[ngrams.Tensor, ngrams.Tensor]]:
    """(row, bucket) of every feature of a batch, for the words' and the characters' view."""
    rows, spellings, hashes = ngrams.words(joined(titles, descriptions))
    once = ngrams.first_of_each(rows, hashes)
    pair_rows, pairs = ngrams.pair_buckets(rows, hashes)
    rows_once = tf.gather(rows, once)
    singles = ngrams.word_buckets(tf.gather(hashes, once))
    chars = ngrams.char_buckets(tf.gather(spellings, once))
    return [
        (tf.concat([rows_once, pair_rows], 0), tf.concat([singles, pairs], 0)),
        (
            tf.concat([tf.gather(rows_once, word) for word, _ in chars], 0),
            tf.concat([buckets for _, buckets in chars], 0),
        ),
    ]


def _counted(rows: NDArray[np.int64], buckets: NDArray[np.int64], count: int) -> Matrix:
    from scipy import sparse

    ones = np.ones(len(rows), np.float32)  # exact up to 16 million, at half the memory
    matrix = sparse.csr_matrix((ones, (rows, buckets)), shape=(count, ngrams.BUCKETS))
    matrix.sum_duplicates()
    return matrix


def _idf(counts: Matrix) -> NDArray[np.float64]:
    rows = counts.shape[0]
    frequency = np.bincount(counts.indices, minlength=ngrams.BUCKETS)
    return np.where(frequency > 0, np.log((1 + rows) / (1 + frequency)) + 1, 0.0)


def _unit_length(counts: Matrix, idf: NDArray[np.float64]) -> Matrix:
    from scipy import sparse

    squares = counts @ (idf * idf)
    lengths = np.sqrt(np.where(squares > 0, squares, 1.0))
    return sparse.diags_array(1 / lengths) @ counts @ sparse.diags_array(idf)
