"""The training of the image stage. Importing this module imports TensorFlow.

What the features are depends on what there is: a network that the user brings, frozen; without one, Fisher vectors,
which learn from hundreds of photos; from many photos, a MobileNetV3-Small of their own. The head is the same.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DataInvalid
from model.image import convolutional
from model.image.decoding import decode
from model.image.features import SIDE, fisher_features
from model.image.fitting import fit_linear, principal_axes
from model.image.network import Head, PhotoNetwork, export, serving
from model.image.stage import PhotoStage
from model.rows import MODALITIES, Rows
from model.stages import Progress, Truth
from model.tensorflow import tensorflow

tf = tensorflow()

MANY_PHOTOS: Final = 30_000
"""From so many on, a convolutional network is trained: Fisher vectors would take longer, and gain little more."""

_SAMPLE = 2_000
_BATCH = 16

Floats = NDArray[np.float32]
Photos = Sequence[bytes | None]


class FittedPhotoStage(PhotoStage):
    """An image stage that was just trained."""

    def __init__(self, network: PhotoNetwork) -> None:
        super().__init__(serving(network))
        self._network = network

    def save(self, path: Path) -> None:
        """Write the SavedModel.

        Raises:
            OSError: The disk is full, or the path cannot be written.
        """
        export(self._network, path)


def fit(
    rows: Rows,
    truth: Truth,
    classes: int,
    *,
    weights: Path | None = None,
    seed: int = 0,
    progress: Progress = lambda _: None,
) -> FittedPhotoStage:
    """Train the image stage.

    Args:
        rows: Products; those without a photo, or with one that cannot be decoded, are passed over.
        truth: Class index of each row.
        classes: How many classes there are.
        weights: Of a MobileNetV3-Small, or a whole network that Keras saved; None to learn from these photos alone.
        seed: Of samples, starting points and orders.
        progress: Told which part is done, from 0 to 1.

    Raises:
        DataInvalid: No photo can be decoded, or all are of one class.
        WeightsInvalid: The file of weights does not fit.
    """
    chosen = rows.take(np.flatnonzero(rows.present[:, MODALITIES.index("image")])) if rows.photos else rows
    photos, truth = chosen.photos, truth[rows.present[:, MODALITIES.index("image")]]
    if not photos:
        raise DataInvalid("No row has a photo.", hint="Name the column of photos, and keep them beside the data.")
    describe, side = _features(photos, truth, classes, weights, seed, _part(progress, 0.0, 0.4))
    graph = _graph(describe, side)
    sample = np.sort(np.random.default_rng(seed).permutation(len(photos))[:_SAMPLE])
    features, readable = _described(graph, photos, sample, None, _part(progress, 0.4, 0.6))
    if not readable.any():
        raise DataInvalid("None of the photos can be decoded.")
    axes = principal_axes(features[readable])
    if len(sample) < len(photos):
        features, readable = _described(graph, photos, np.arange(len(photos)), axes, _part(progress, 0.6, 0.9))
    else:
        features = features @ axes
    features, truth = features[readable], truth[readable]
    linear = fit_linear(features, truth, classes)
    prior = (np.bincount(truth, minlength=classes) / len(truth)).astype(np.float32)
    head = Head(axes @ linear.coefficients, linear.bias, linear.temperature, prior)
    progress(1.0)
    return FittedPhotoStage(PhotoNetwork(describe, side, head))


def _features(
    photos: Photos, truth: Truth, classes: int, weights: Path | None, seed: int, progress: Progress
) -> tuple[Any, int]:
    """What turns pixels into features, and the side of the pixels' square."""
    if weights is not None:
        network = convolutional.pretrained(weights)
        return network, network.input_shape[1] or convolutional.SIDE
    if len(photos) >= MANY_PHOTOS:
        network = convolutional.trained(photos, truth, classes, seed=seed, progress=progress)
        return network, convolutional.SIDE
    return fisher_features(photos, seed=seed, progress=progress), SIDE


def _graph(describe: Any, side: int) -> Any:
    def described(photos: Any) -> tuple[Any, Any]:
        images, readable = decode(photos, side)
        return describe(images, training=False), readable

    return tf.function(described, input_signature=[tf.TensorSpec([None], tf.string)])


def _described(
    graph: Any, photos: Photos, chosen: NDArray[np.int64], axes: Floats | None, progress: Progress
) -> tuple[Floats, NDArray[np.bool_]]:
    """Features of some photos, along the axes where these are given, and which of them could be decoded."""
    parts = []
    for start in range(0, len(chosen), _BATCH):
        some = [photos[row] or b"" for row in chosen[start : start + _BATCH]]
        features, readable = (part.numpy() for part in graph(tf.constant(some, tf.string)))
        parts.append((features if axes is None else features @ axes, readable))
        progress((start + len(some)) / len(chosen))
    features, readable = (np.concatenate(side) for side in zip(*parts, strict=True))
    return features, readable


def _part(progress: Progress, start: float, end: float) -> Progress:
    return lambda part: progress(start + part * (end - start))
