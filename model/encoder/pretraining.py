"""Masked-language pre-training: the encoder learns the catalogue's language from texts without labels.

A part of each text's tokens is hidden and guessed from the others (Devlin et al. 2019, section 3.1). What guesses
is thrown away afterwards; the encoder stays. Importing this module imports TensorFlow.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.encoder.network import Encoder, Tensor, gelu, initialise
from model.encoder.optimisation import Optimisation
from model.encoder.tokens import Batch, Ints, Texts, Tokens
from model.stages import Progress
from model.tensorflow import keras, tensorflow

tf = tensorflow()
layers = keras().layers

MASKED: Final = 0.15
"""Share of the tokens that is guessed; of them 80 % are hidden, 10 % replaced and 10 % left as they are."""


class Guesser(keras().layers.Layer):  # type: ignore[misc] # Keras ships no types
    """What an encoder takes hidden tokens for; the table of words serves as its last layer too."""

    def __init__(self, encoder: Encoder, rng: np.random.Generator) -> None:
        super().__init__(name="guesser")
        self.encoder = encoder
        self.dense = layers.Dense(encoder.shape.width, activation=gelu)
        self.dense.build((None, encoder.shape.width))
        self.norm = layers.LayerNormalization(epsilon=encoder.shape.epsilon)
        self.norm.build((None, None, encoder.shape.width))
        self.bias = self.add_weight(name="bias", shape=(encoder.shape.vocabulary,), initializer="zeros")
        initialise(self.dense, rng)
        self.built = True

    def loss(self, ids: Tensor, segments: Tensor, mask: Tensor, places: Tensor, truth: Tensor) -> Tensor:
        """Mean surprise at the true tokens [rows, guesses] of some places; a truth of -1 does not count."""
        tokens = self.encoder(ids, segments, mask, training=True)
        guesses = self.norm(self.dense(tf.gather(tokens, places, batch_dims=1)))
        scores = tf.einsum("rgw,vw->rgv", guesses, tf.convert_to_tensor(self.encoder.words.embeddings)) + self.bias
        counts = tf.cast(truth >= 0, tf.float32)
        surprise = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.maximum(truth, 0), logits=scores)
        return tf.reduce_sum(surprise * counts) / tf.maximum(tf.reduce_sum(counts), 1.0)


def pretrain(  # noqa: PLR0913 - what a fit decides
    encoder: Encoder,
    tokens: Tokens,
    texts: Texts,
    special: Sequence[int],
    hidden: int,
    *,
    epochs: int,
    rate: float,
    rng: np.random.Generator,
    progress: Progress,
) -> None:
    """Train an encoder to guess hidden tokens.

    Args:
        encoder: The encoder, which changes.
        tokens: Cuts the texts into batches.
        texts: The texts, as tokens.
        special: Ids of the tokens that are not of the text.
        hidden: Id of the token that stands for a hidden one.
        epochs: How often each text is seen.
        rate: The learning rate.
        rng: Of the order and the masks.
        progress: Told which part is done.
    """
    guesser = Guesser(encoder, rng)
    steps = epochs * sum(1 for _ in tokens.batches(texts))
    optimisation = Optimisation(guesser.trainable_variables, guesser.loss, rate=rate, steps=steps)
    done = 0
    for _ in range(epochs):
        for batch in tokens.batches(texts, rng):
            ids, places, truth = hide(batch, special, hidden, encoder.shape.vocabulary, rng)
            optimisation.step(ids, batch.segments, batch.mask, places, truth)
            done += 1
            progress(done / steps)


def hide(
    batch: Batch, special: Sequence[int], hidden: int, vocabulary: int, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Hide a share of a batch's tokens.

    Returns:
        The ids [rows, tokens] as the encoder is to see them, and the places and true ids [rows, guesses] of what
        is guessed; -1 is no guess.
    """
    usable = (batch.mask == 1) & ~np.isin(batch.ids, special)
    order = np.argsort(np.where(usable, rng.random(batch.ids.shape), 2.0), axis=1)
    places = order[:, : max(1, round(batch.ids.shape[1] * MASKED))].astype(np.int32)
    wanted = np.ceil(usable.sum(axis=1, keepdims=True) * MASKED)
    counts = np.arange(places.shape[1]) < wanted
    truth = np.where(counts, np.take_along_axis(batch.ids, places, axis=1), -1).astype(np.int32)
    seen: NDArray[np.int32] = batch.ids.copy()
    np.put_along_axis(seen, places, _disguised(truth, batch, places, hidden, vocabulary, rng), axis=1)
    return seen, places, truth


def _disguised(truth: Ints, batch: Batch, places: Ints, hidden: int, vocabulary: int, rng: np.random.Generator) -> Any:
    own = np.take_along_axis(batch.ids, places, axis=1)
    luck = rng.random(truth.shape)
    shown = np.where(luck < 0.8, hidden, np.where(luck < 0.9, rng.integers(0, vocabulary, truth.shape), own))
    return np.where(truth >= 0, shown, own).astype(np.int32)
