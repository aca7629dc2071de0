"""The network: linear classifiers over hashed n-grams, cleaned strings in, log-probabilities out.

Its weights are one table a view, but most words of a new text were seen in training. What such a word adds, its own
row and the rows of its character n-grams, is summed once, when the network is built; serving then looks up one row a
known word and spells out only the unknown ones. The sums are the same either way.

Importing this module imports TensorFlow.
"""

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from model.tensorflow import keras, tensorflow
from model.text import ngrams
from model.text.features import Floats, Idf
from model.text.ngrams import Tensor
from model.text.tables import Group, Table, Words
from model.text.views import FIELDS, View

tf = tensorflow()

MAX_KNOWN_WORDS: Final = 50_000
"""Words whose sums are kept; at 27 classes 22 MB. The others are spelled out, which is slower, not different."""

_KNOWN_SLOTS = 1 << 20


@dataclass(frozen=True)
class FittedView:
    """A view and what a fit yields for it.

    Args:
        view: What it counts.
        idf: The buckets that training saw, with their weights.
        coefficients: [those buckets, classes].
    """

    view: View
    idf: Idf
    coefficients: Floats


class NgramNetwork(keras().layers.Layer):  # type: ignore[misc] # Keras ships no types
    """The tables of all views, and what is known of frequent words.

    Views of the same fields are known together: a known word has one row for all of them.

    Args:
        views: With their weights.
        bias: [classes].
        vocabulary: Words to know beforehand, in UTF-8, most frequent first.
    """

    def __init__(self, views: Sequence[FittedView], bias: Floats, vocabulary: Sequence[bytes]) -> None:
        super().__init__(name="ngrams")
        self.fields = [field for field in FIELDS if any(field in fitted.view.fields for fitted in views)]
        self.bias = self._constant("bias", bias.astype(np.float32))
        known = self._known(list(vocabulary[:MAX_KNOWN_WORDS]))
        self.groups = [
            self._group([fitted for fitted in views if fitted.view.fields == fields], known)
            for fields in dict.fromkeys(fitted.view.fields for fitted in views)
        ]
        self.built = True

    def call(self, titles: Tensor, descriptions: Tensor) -> Tensor:
        """Log-probabilities [rows, classes] of cleaned titles and descriptions (strings [rows])."""
        return tf.nn.log_softmax(self.margins(titles, descriptions))

    def margins(self, titles: Tensor, descriptions: Tensor) -> Tensor:
        """What the linear classifiers say, [rows, classes], before the softmax."""
        count = tf.size(titles, tf.int64)
        rows, spellings, hashes = ngrams.words(ngrams.fields(titles, descriptions, self.fields))
        once = ngrams.first_of_each(rows, hashes)
        own = tf.gather(hashes, once)
        slots = tf.gather(self.known_slots, own % _KNOWN_SLOTS)
        slots = tf.where(tf.equal(tf.gather(self.known_hashes, slots), own), slots, 0)
        words = Words(tf.gather(rows, once), tf.gather(spellings, once), own, slots)
        parts = [group.margins(words, (rows, hashes), count) for group in self.groups]
        return tf.add_n(parts) + self.bias

    def _group(self, views: Sequence[FittedView], known: Words) -> Group:
        first = self.fields.index(views[0].view.fields[0])
        group = Group([self._table(fitted) for fitted in views], (first, first + len(views[0].view.fields)))
        if group.counts_words:
            group.known = self._constant("known", np.pad(group.of_known(known, len(known.rows)), ((1, 0), (0, 0))))
        return group

    def _table(self, fitted: FittedView) -> Table:
        live = fitted.idf.live
        rows = np.zeros(ngrams.BUCKETS, np.int32)
        rows[live] = np.arange(1, len(live) + 1)
        table = np.zeros((len(live) + 1, fitted.coefficients.shape[1] + 1), np.float32)
        scale = np.sqrt(fitted.view.weight) * fitted.idf.weights[:, None]
        table[1:, :-1] = scale * fitted.coefficients
        table[1:, -1] = fitted.idf.weights**2
        return Table(fitted.view.kinds, self._constant("rows", rows), self._constant("table", table))

    def _known(self, vocabulary: list[bytes]) -> Words:
        """The words to know, one a slot: of two with one slot, the more frequent."""
        spellings = tf.constant(vocabulary, tf.string)
        hashes = ngrams.word_hashes(spellings)
        _, first = np.unique(hashes.numpy() % _KNOWN_SLOTS, return_index=True)
        first.sort()
        own = tf.gather(hashes, first)
        slots = np.zeros(_KNOWN_SLOTS, np.int32)
        slots[own.numpy() % _KNOWN_SLOTS] = np.arange(1, len(first) + 1)
        self.known_slots = self._constant("known_slots", slots)
        self.known_hashes = self._constant("known_hashes", np.append(np.int64(-1), own.numpy()))
        return Words(tf.range(len(first), dtype=tf.int64), tf.gather(spellings, first), own, tf.zeros_like(own))

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

    # Not by Keras' archive, which traces it twice and keeps a graph for each: that takes twice as long.
    texts = [tf.TensorSpec([None], tf.string, name=name) for name in ("title", "description")]
    traced = tf.function(serve, input_signature=texts).get_concrete_function()
    kept = tf.train.Checkpoint(variables=[variable.value for variable in network.variables])
    try:
        tf.saved_model.save(kept, str(path), signatures={"serve": traced})
    except tf.errors.OpError as error:
        if os.strerror(errno.ENOSPC) in str(error):  # TensorFlow tells a full disk in its own class
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        raise
