"""The encoder as Keras layers, for DistilBERT, BERT and the RoBERTa family, and the classes' layer on top.

The arithmetic is that of the families' papers (Devlin et al. 2019, Sanh et al. 2019, Liu et al. 2019): blocks of
attention and feed-forward layers, each added to its input and normalised after. Shapes of tokens are fixed and
of rows open, which graphs are made for; importing this module imports TensorFlow.
"""

import math
from typing import Any

import numpy as np

from model.encoder.shape import EncoderShape
from model.tensorflow import keras

Tensor = Any  # TensorFlow ships no types

_FAR = -1e9  # added to the attention of padding; -inf would make a row without tokens not a number
_HEAD_DROPOUT = 0.1

layers = keras().layers
ops = keras().ops


class Block(keras().layers.Layer):  # type: ignore[misc] # Keras ships no types
    """One transformer block.

    Args:
        shape: The encoder's sizes.
        rng: Where the seeds of its dropouts come from.
    """

    def __init__(self, shape: EncoderShape, rng: np.random.Generator) -> None:
        super().__init__()
        self.heads = shape.heads
        for part in ("query", "key", "value", "mix"):
            setattr(self, part, _dense(shape.width, shape.width))
        self.attention_norm, self.norm = _norm(shape), _norm(shape)
        self.widen, self.narrow = _dense(shape.width, shape.inner), _dense(shape.inner, shape.width)
        self.activate = gelu if shape.activation == "gelu" else ops.relu
        self.attention_dropout = _dropout(shape.attention_dropout, rng)
        self.dropouts = [_dropout(shape.dropout, rng) for _ in range(2)]
        self.built = True

    def call(self, tokens: Tensor, bias: Tensor, training: bool = False) -> Tensor:
        """The next vectors [rows, tokens, width] of such; ``bias`` [rows, 1, 1, tokens] hides the padding."""
        seen = self._attention(tokens, bias, training)
        tokens = self.attention_norm(tokens + self.dropouts[0](seen, training=training))
        inner = self.narrow(self.activate(self.widen(tokens)))
        return self.norm(tokens + self.dropouts[1](inner, training=training))

    def _attention(self, tokens: Tensor, bias: Tensor, training: bool) -> Tensor:
        length, width = tokens.shape[1:]
        size = width // self.heads

        def of_heads(projected: Tensor) -> Tensor:
            return ops.transpose(ops.reshape(projected, (-1, length, self.heads, size)), (0, 2, 1, 3))

        query, key, value = (of_heads(part(tokens)) for part in (self.query, self.key, self.value))
        scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) * (1 / math.sqrt(size)) + bias
        shares = self.attention_dropout(ops.softmax(scores), training=training)
        mixed = ops.transpose(ops.matmul(shares, value), (0, 2, 1, 3))
        return self.mix(ops.reshape(mixed, (-1, length, width)))


class Encoder(keras().layers.Layer):  # type: ignore[misc]
    """Token ids in, a vector for each token out.

    Args:
        shape: The sizes.
        rng: Where the first weights and the seeds of the dropouts come from.
    """

    def __init__(self, shape: EncoderShape, rng: np.random.Generator) -> None:
        super().__init__(name="encoder")
        self.shape = shape
        self.words = _table(shape.vocabulary, shape.width)
        self.positions = _table(shape.positions, shape.width)
        self.segments = _table(shape.segments, shape.width) if shape.segments else None
        self.norm, self.dropout = _norm(shape), _dropout(shape.dropout, rng)
        self.blocks = [Block(shape, rng) for _ in range(shape.depth)]
        self.built = True

    def call(self, ids: Tensor, segments: Tensor, mask: Tensor, training: bool = False) -> Tensor:
        """Vectors [rows, tokens, width] of token ids, segments and mask, each integers [rows, tokens]."""
        tokens = self.words(ids) + self._positions(ids)
        if self.segments is not None:
            few = self.shape.family == "roberta" or self.shape.segments < 2
            tokens = tokens + (self.segments.embeddings[0] if few else self.segments(segments))
        tokens = self.dropout(self.norm(tokens), training=training)
        bias = (1.0 - ops.reshape(ops.cast(mask, "float32"), (-1, 1, 1, ids.shape[1]))) * _FAR
        for block in self.blocks:
            tokens = block(tokens, bias, training=training)
        return tokens

    def slots(self) -> dict[str, Any]:
        """Its weights by the names that :mod:`model.encoder.names` gives them."""
        found = {"words": self.words.embeddings, "positions": self.positions.embeddings}
        if self.segments is not None:
            found["segments"] = self.segments.embeddings
        found |= {"norm.gamma": self.norm.gamma, "norm.beta": self.norm.beta}
        for number, block in enumerate(self.blocks):
            for part in ("attention_norm", "norm"):
                norm = getattr(block, part)
                found |= {f"blocks.{number}.{part}.gamma": norm.gamma, f"blocks.{number}.{part}.beta": norm.beta}
            for part in ("query", "key", "value", "mix", "widen", "narrow"):
                dense = getattr(block, part)
                found |= {f"blocks.{number}.{part}.kernel": dense.kernel, f"blocks.{number}.{part}.bias": dense.bias}
        return found

    def _positions(self, ids: Tensor) -> Tensor:
        if self.shape.family != "roberta":
            return self.positions.embeddings[: ids.shape[1]]
        there = ops.cast(ops.not_equal(ids, self.shape.pad), "int32")
        return self.positions(ops.cumsum(there, axis=1) * there + self.shape.pad)


class EncoderNetwork(keras().layers.Layer):  # type: ignore[misc]
    """An encoder, the mean of its vectors, and a dense layer of the classes.

    Args:
        shape: The encoder's sizes.
        classes: How many classes there are.
        rng: Where the first weights and the seeds of the dropouts come from.
    """

    def __init__(self, shape: EncoderShape, classes: int, rng: np.random.Generator) -> None:
        super().__init__(name="classifier")
        self.encoder = Encoder(shape, rng)
        self.dropout = _dropout(_HEAD_DROPOUT, rng)
        self.head = _dense(shape.width, classes)
        self.built = True

    def call(self, ids: Tensor, segments: Tensor, mask: Tensor, training: bool = False) -> Tensor:
        """What speaks for each class, [rows, classes], before the softmax."""
        pooled = self.features(ids, segments, mask, training=training)
        return self.head(self.dropout(pooled, training=training))

    def features(self, ids: Tensor, segments: Tensor, mask: Tensor, training: bool = False) -> Tensor:
        """The mean vector [rows, width] of each row's tokens, padding left out."""
        tokens = self.encoder(ids, segments, mask, training=training)
        there = ops.reshape(ops.cast(mask, "float32"), (-1, ids.shape[1], 1))
        return ops.sum(tokens * there, axis=1) / ops.maximum(ops.sum(there, axis=1), 1.0)


def gelu(values: Tensor) -> Tensor:
    """X P(X <= x) of a normal X (Hendrycks and Gimpel 2016), exact: the tanh form is off by up to 5e-4."""
    return 0.5 * values * (1.0 + ops.erf(values * math.sqrt(0.5)))


def initialise(layer: Any, rng: np.random.Generator, deviation: float = 0.02) -> None:
    """Give every table and kernel of a layer small random values, as BERT begins; the others stay as they are."""
    for weight in layer.trainable_variables:
        if len(weight.shape) == 2:
            values = np.clip(rng.standard_normal(weight.shape, np.float32), -2, 2)
            weight.assign(values * np.float32(deviation))


def _dense(into: int, out: int) -> Any:
    dense = layers.Dense(out)
    dense.build((None, into))
    return dense


def _norm(shape: EncoderShape) -> Any:
    norm = layers.LayerNormalization(epsilon=shape.epsilon)
    norm.build((None, None, shape.width))
    return norm


def _table(rows: int, width: int) -> Any:
    table = layers.Embedding(rows, width)
    table.build()
    return table


def _dropout(share: float, rng: np.random.Generator) -> Any:
    return layers.Dropout(share, seed=int(rng.integers(2**31)))
