"""Fisher vectors: how a photo's descriptors differ from those of all photos, as one long vector.

After Sanchez, Perronnin, Mensink and Verbeek 2013, "Image Classification with the Fisher Vector: Theory and
Practice". Importing this module imports TensorFlow.
"""

import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.tensorflow import tensorflow

tf = tensorflow()

Tensor = Any  # TensorFlow ships no types
Floats = NDArray[np.float32]

COMPONENTS: Final = 64
"""Of the mixture of Gaussians."""

REDUCED: Final = 64
"""Descriptors are brought to this many principal components."""

PLACE_WEIGHT: Final = 1.0
"""Of a square's place beside its look, in units of the look's leading component."""

_EM_STEPS = 15
_EM_GAIN = 1e-2  # in nats a square; further steps change a photo's vector little


@dataclass(frozen=True)
class Codebook:
    """What descriptors are compared with: their principal axes, and a mixture of Gaussians along these.

    Args:
        centre: Mean descriptor [size].
        axes: [size, REDUCED].
        places: What a place is multiplied by.
        weights: Of the Gaussians [components].
        means: [components, REDUCED + 2].
        variances: [components, REDUCED + 2].
    """

    centre: Floats
    axes: Floats
    places: float
    weights: Floats
    means: Floats
    variances: Floats

    @classmethod
    def fit(cls, descriptors: Floats, places: Floats, *, components: int, seed: int) -> "Codebook":
        """Fit the axes and the mixture.

        Args:
            descriptors: A sample of squares, [squares, size].
            places: Where they lie [squares, 2].
            components: How many Gaussians.
            seed: Of their starting points.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture

        centre = descriptors.mean(axis=0)
        moved = (descriptors - centre).astype(np.float64)
        values, vectors = np.linalg.eigh(moved.T @ moved / len(moved))
        axes = vectors[:, ::-1][:, :REDUCED].astype(np.float32)
        weight = PLACE_WEIGHT * float(np.sqrt(max(values[-1], 1e-12)))
        points = np.hstack([(descriptors - centre) @ axes, places * weight]).astype(np.float32)
        mixture = GaussianMixture(
            components, covariance_type="diag", max_iter=_EM_STEPS, tol=_EM_GAIN, reg_covar=1e-5, random_state=seed
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # further steps would find no other mixture to speak of
            mixture.fit(points)
        return cls(
            centre.astype(np.float32),
            axes,
            weight,
            mixture.weights_.astype(np.float32),
            mixture.means_.astype(np.float32),
            mixture.covariances_.astype(np.float32),
        )

    @property
    def size(self) -> int:
        """Length of a Fisher vector."""
        return 2 * self.means.size


def fisher_vectors(book: Codebook, descriptors: Tensor, places: Tensor) -> Tensor:
    """The Fisher vectors of photos, with signed square roots and length 1.

    Args:
        book: Its arrays may be tensors.
        descriptors: [rows, squares, size].
        places: [rows, squares, 2].

    Returns:
        [rows, 2 x components x (REDUCED + 2)].
    """
    points = tf.concat([tf.matmul(descriptors - book.centre, book.axes), places * book.places], -1)
    precision = 1 / book.variances
    constant = tf.math.log(book.weights) - 0.5 * tf.reduce_sum(
        book.means**2 * precision + tf.math.log(book.variances), axis=1
    )
    logits = (
        constant
        + tf.matmul(points, book.means * precision, transpose_b=True)
        - 0.5 * tf.matmul(points**2, precision, transpose_b=True)
    )
    shares = tf.nn.softmax(logits)
    count = tf.cast(tf.shape(points)[1], tf.float32)
    zeroth = tf.reduce_sum(shares, 1)[..., None] / count
    first = tf.matmul(shares, points, transpose_a=True) / count
    second = tf.matmul(shares, points**2, transpose_a=True) / count
    root = tf.sqrt(book.weights)[:, None]
    to_mean = (first - book.means * zeroth) / (tf.sqrt(book.variances) * root)
    to_spread = (second - 2 * book.means * first + (book.means**2 - book.variances) * zeroth) / (
        book.variances * root * np.sqrt(2.0)
    )
    width = 2 * book.means.shape[0] * book.means.shape[1]
    vector = tf.reshape(tf.concat([to_mean, to_spread], 1), [tf.shape(points)[0], width])
    return tf.math.l2_normalize(tf.sign(vector) * tf.sqrt(tf.abs(vector)), axis=-1)
