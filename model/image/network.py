"""The image network: encoded photos in, log-probabilities out.

Importing this module imports TensorFlow.
"""

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.image.decoding import decode
from model.tensorflow import keras, tensorflow

tf = tensorflow()

Tensor = Any  # TensorFlow ships no types
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """A linear classifier on features.

    Args:
        coefficients: [features, classes].
        bias: [classes].
        temperature: What the margins are divided by before the softmax.
        prior: Share of each class in training [classes]: the answer to a photo that cannot be decoded.
    """

    coefficients: Floats
    bias: Floats
    temperature: float
    prior: Floats


class PhotoNetwork(keras().layers.Layer):  # type: ignore[misc] # Keras ships no types
    """Decoding, features and a linear head.

    Args:
        features: A layer or model, pixels [rows, side, side, 3] from 0 to 255 to features [rows, size].
        side: Width and height it sees, in pixels.
        head: What follows.
    """

    def __init__(self, features: Any, side: int, head: Head) -> None:
        super().__init__(name="photos")
        self.features = features
        self.side = side
        self.coefficients = self._constant("coefficients", head.coefficients)
        self.bias = self._constant("bias", head.bias)
        self.sharpness = self._constant("sharpness", np.float32(1 / head.temperature))
        self.unknown = self._constant("unknown", np.log(np.maximum(head.prior, 1e-9)))
        self.built = True

    def call(self, photos: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probabilities [rows, classes] of encoded photos (strings [rows]), and which could be decoded [rows]."""
        images, readable = decode(photos, self.side)
        margins = tf.matmul(self.features(images, training=False), self.coefficients) + self.bias
        answers = tf.nn.log_softmax(margins * self.sharpness)
        return tf.where(readable[:, None], answers, tf.nn.log_softmax(self.unknown)), readable

    def _constant(self, name: str, value: Any) -> Any:
        array = np.asarray(value, np.float32)
        weight = self.add_weight(name=name, shape=array.shape, dtype="float32", initializer="zeros", trainable=False)
        weight.assign(array)
        return weight


def serving(network: PhotoNetwork) -> Any:
    """The network as the graph that :func:`export` writes: it answers as the saved one will."""
    return tf.function(
        lambda photo: dict(zip(("log_probabilities", "readable"), network(photo), strict=True)),
        input_signature=[tf.TensorSpec([None], tf.string, name="photo")],
    )


def export(network: PhotoNetwork, path: Path) -> None:
    """Write the network as a SavedModel with one signature, ``serve``.

    The input is ``photo``, encoded photos, strings [rows]; outputs are ``log_probabilities`` [rows, classes] and
    ``readable`` [rows], false for a photo that could not be decoded, whose answer is the share of each class.

    Raises:
        OSError: The disk is full, or the path cannot be written.
    """
    archive = keras().export.ExportArchive()
    archive.track(network)
    archive.add_endpoint("serve", serving(network))
    try:
        archive.write_out(str(path), verbose=False)
    except tf.errors.OpError as error:
        if os.strerror(errno.ENOSPC) in str(error):  # TensorFlow tells a full disk in its own class
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        raise
