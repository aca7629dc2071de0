"""The first stage: a linear network over hashed n-grams, cleaned strings in, log-probabilities out.

Its weights are one table per view, but most words of a new text were seen in training. What such a word adds,
its own row and the rows of its character n-grams, is summed once, when the network is built; serving then
looks up one row a known word and spells out only the unknown ones. The sums are the same either way.

Importing this module imports TensorFlow.
"""

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.tensorflow import keras, tensorflow
from model.text import ngrams
from model.text.features import Idf, joined
from model.text.ngrams import Tensor

tf = tensorflow()

MAX_KNOWN_WORDS: Final = 50_000
"""Words whose sums are kept; at 27 classes 11 MB. The others are spelled out, which is slower, not different."""

_KNOWN_SLOTS = 1 << 20
_TINY = 1e-12  # the squared length of a text without a feature that training saw

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Weights:
    """What a fit yields.

    Args:
        idf: Weight of each bucket.
        coefficients: [2 x BUCKETS, classes], the words' view before the characters'.
        bias: [classes].
        vocabulary: Words to know beforehand, most frequent first.
    """

    idf: Idf
    coefficients: Floats
    bias: Floats
    vocabulary: Sequence[str]


class NgramNetwork(keras().layers.Layer):  # type: ignore[misc] # Keras ships no types
    """Tables of what each word, pair and n-gram adds, and their sums over a text.

    A table's row holds what a feature adds to each class and, last, to the squared length of the text. Row 0
    is all zeros: it stands for whatever training never saw.
    """

    def __init__(self, weights: Weights) -> None:
        super().__init__(name="ngrams")
        words, chars = np.split(weights.coefficients, 2)
        self.word_rows, self.word_table = self._view("words", words, weights.idf.words)
        self.char_rows, self.char_table = self._view("chars", chars, weights.idf.chars)
        self.bias = self._constant("bias", weights.bias.astype(np.float32))
        self.width = len(weights.bias) + 1
        self._remember(list(weights.vocabulary[:MAX_KNOWN_WORDS]))
        self.built = True

    def call(self, titles: Tensor, descriptions: Tensor) -> Tensor:
        """Log-probabilities [rows, classes] of cleaned titles and descriptions (strings [rows])."""
        return tf.nn.log_softmax(self.margins(titles, descriptions))

    def margins(self, titles: Tensor, descriptions: Tensor) -> Tensor:
        """What the linear classifiers say, [rows, classes], before the softmax."""
        count = tf.shape(titles)[0]
        rows, spellings, hashes = ngrams.words(joined(titles, descriptions))
        pair_rows, pairs = ngrams.pair_buckets(rows, hashes)
        once = ngrams.first_of_each(rows, hashes)
        rows, hashes = tf.gather(rows, once), tf.gather(hashes, once)
        slot = tf.gather(self.known_slots, hashes % _KNOWN_SLOTS)
        known = tf.equal(tf.gather(self.known_hashes, slot), hashes)
        new = tf.logical_not(known)
        both = _sums(self.known_table, tf.boolean_mask(slot, known), tf.boolean_mask(rows, known), count)
        new_rows = tf.boolean_mask(rows, new)
        by_words = (
            both[:, : self.width]
            + _sums(self.word_table, tf.gather(self.word_rows, pairs), pair_rows, count)
            + self._by_word(tf.boolean_mask(hashes, new), new_rows, count)
        )
        by_chars = both[:, self.width :] + self._by_chars(
            tf.boolean_mask(tf.gather(spellings, once), new), new_rows, count
        )
        return _unit_length(by_words) + _unit_length(by_chars) + self.bias

    def _by_word(self, hashes: Tensor, rows: Tensor, count: Tensor) -> Tensor:
        found = tf.gather(self.word_rows, ngrams.word_buckets(hashes))
        return _sums(self.word_table, found, rows, count)

    def _by_chars(self, spellings: Tensor, rows: Tensor, count: Tensor) -> Tensor:
        orders = ngrams.char_buckets(spellings)
        return tf.add_n(
            [
                _sums(self.char_table, tf.gather(self.char_rows, buckets), tf.gather(rows, word), count)
                for word, buckets in orders
            ]
        )

    def _view(self, name: str, coefficients: Floats, idf: NDArray[np.float64]) -> tuple[Any, Any]:
        live = np.flatnonzero(idf)
        rows = np.zeros(len(idf), np.int32)
        rows[live] = np.arange(1, len(live) + 1)
        table = np.zeros((len(live) + 1, coefficients.shape[1] + 1), np.float32)
        table[1:, :-1] = idf[live, None] * coefficients[live]
        table[1:, -1] = idf[live] ** 2
        return self._constant(f"{name}_rows", rows), self._constant(f"{name}_table", table)

    def _remember(self, vocabulary: list[str]) -> None:
        """Sum up beforehand what each word of the vocabulary adds; of two words in one slot the frequent one."""
        spellings = tf.constant(vocabulary, tf.string)
        hashes = tf.strings.to_hash_bucket_fast(spellings, 1 << 62)
        _, first = np.unique(hashes.numpy() % _KNOWN_SLOTS, return_index=True)
        first.sort()
        spellings, hashes = tf.gather(spellings, first), tf.gather(hashes, first)
        rows = tf.range(len(first), dtype=tf.int64)
        sums = [self._by_word(hashes, rows, len(first)), self._by_chars(spellings, rows, len(first))]
        slots = np.zeros(_KNOWN_SLOTS, np.int32)
        slots[hashes.numpy() % _KNOWN_SLOTS] = np.arange(1, len(first) + 1)
        self.known_slots = self._constant("known_slots", slots)
        self.known_hashes = self._constant("known_hashes", np.append(np.int64(-1), hashes.numpy()))
        self.known_table = self._constant("known_table", np.pad(np.concatenate(sums, 1), ((1, 0), (0, 0))))

    def _constant(self, name: str, value: Any) -> Any:
        array = np.asarray(value)
        weight = self.add_weight(
            name=name, shape=array.shape, dtype=str(array.dtype), initializer="zeros", trainable=False
        )
        weight.assign(array)
        return weight


def export(network: NgramNetwork, path: Path) -> None:
    """Write the network as a SavedModel with one signature, ``serve``.

    Inputs are ``title`` and ``description``, cleaned strings [rows]; the output is ``log_probabilities`` [rows,
    classes].

    Raises:
        OSError: The disk is full, or the path cannot be written.
    """

    def serve(title: Tensor, description: Tensor) -> dict[str, Tensor]:
        return {"log_probabilities": network(title, description)}

    archive = keras().export.ExportArchive()
    archive.track(network)
    archive.add_endpoint(
        "serve",
        serve,
        input_signature=[tf.TensorSpec([None], tf.string, name=name) for name in ("title", "description")],
    )
    try:
        archive.write_out(str(path), verbose=False)
    except tf.errors.OpError as error:
        if os.strerror(errno.ENOSPC) in str(error):  # TensorFlow tells a full disk in its own class
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        raise


def _sums(table: Tensor, indices: Tensor, rows: Tensor, count: Tensor) -> Tensor:
    """Sum of the table's rows that belong to each of ``count`` texts; ``rows`` ascends."""
    return tf.sparse.segment_sum(table, indices, rows, num_segments=count)


def _unit_length(sums: Tensor) -> Tensor:
    return sums[:, :-1] * tf.math.rsqrt(tf.maximum(sums[:, -1:], _TINY))
