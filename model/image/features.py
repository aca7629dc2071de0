"""Features of photos that need no pretrained weights: Fisher vectors of edges and of colours.

Importing this module imports TensorFlow.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DataInvalid
from model.image.decoding import decode
from model.image.descriptors import describe
from model.image.fisher import COMPONENTS, Codebook, fisher_vectors
from model.stages import Progress
from model.tensorflow import keras, tensorflow

tf = tensorflow()

Tensor = Any  # TensorFlow ships no types

SIDE: Final = 160
"""Width and height at which photos are described, in pixels."""

_BATCH = 16
_SAMPLE_PHOTOS = 400
_SAMPLE_SQUARES = 40_000


class FisherFeatures(keras().layers.Layer):  # type: ignore[misc] # Keras ships no types
    """Pixels [rows, SIDE, SIDE, 3] to two Fisher vectors, side by side [rows, size].

    Args:
        edges: What edge descriptors are compared with.
        colours: What colour descriptors are compared with.
    """

    def __init__(self, edges: Codebook, colours: Codebook) -> None:
        super().__init__(name="fisher")
        self.books = [self._kept("edges", edges), self._kept("colours", colours)]
        self.size = edges.size + colours.size
        self.built = True

    def call(self, images: Tensor, training: bool = False) -> Tensor:  # noqa: ARG002 - as every Keras network has it
        """The features of photos."""
        *looks, places = describe(images)
        return tf.concat([fisher_vectors(book, look, places) for book, look in zip(self.books, looks, strict=True)], -1)

    def _kept(self, name: str, book: Codebook) -> Codebook:
        def constant(part: str) -> Any:
            array = np.asarray(getattr(book, part), np.float32)
            weight = self.add_weight(
                name=f"{name}_{part}", shape=array.shape, dtype="float32", initializer="zeros", trainable=False
            )
            weight.assign(array)
            return weight

        return Codebook(*(constant(part) for part in Codebook.__dataclass_fields__))


def fisher_features(
    photos: Sequence[bytes | None], *, seed: int, progress: Progress = lambda _: None
) -> FisherFeatures:
    """Features fitted to a sample of photos, which need no labels.

    Args:
        photos: Encoded; one that cannot be decoded is passed over.
        seed: Of the sample and of the mixtures' starting points.
        progress: Told which part is done, from 0 to 1.

    Raises:
        DataInvalid: No photo of the sample can be decoded.
    """
    random = np.random.default_rng(seed)
    chosen = random.permutation(len(photos))[:_SAMPLE_PHOTOS]
    graph = tf.function(_described, input_signature=[tf.TensorSpec([None], tf.string)])
    each = -(-_SAMPLE_SQUARES // len(chosen))
    parts: list[list[NDArray[np.float32]]] = []
    for start in range(0, len(chosen), _BATCH):
        some = tf.constant([photos[row] or b"" for row in chosen[start : start + _BATCH]], tf.string)
        described = [part.numpy() for part in graph(some)]
        squares = random.integers(0, described[0].shape[1], each)
        parts.append([part[:, squares].reshape(-1, part.shape[-1]) for part in described])
        progress(0.5 * min(1.0, (start + _BATCH) / len(chosen)))
    edges, colours, places = (np.concatenate(side) for side in zip(*parts, strict=True))
    if not len(edges):
        raise DataInvalid("None of the photos can be decoded.")
    edge_book = Codebook.fit(edges, places, components=COMPONENTS, seed=seed)
    progress(0.75)
    return FisherFeatures(edge_book, Codebook.fit(colours, places, components=COMPONENTS, seed=seed))


def _described(photos: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    images, readable = decode(photos, SIDE)
    return describe(tf.boolean_mask(images, readable))
