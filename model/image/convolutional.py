"""Convolutional features: MobileNetV3-Small, with weights that the user has or from scratch.

Importing this module imports TensorFlow.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.errors import WeightsInvalid
from model.image.decoding import decode
from model.tensorflow import keras, tensorflow

tf = tensorflow()

Tensor = Any  # TensorFlow ships no types

SIDE = 160
"""Width and height of what the network sees, in pixels; 516 photos a second on two cores."""

VIEWS = 600_000
"""Photos that training looks at in all, each several times: about an hour on two cores, in `MIN_PASSES` or more."""

MIN_PASSES: Final = 3
MAX_PASSES: Final = 40

_BATCH = 64
_RATE = 2e-3
_SMOOTHING = 0.1  # of the labels: photos of a catalogue are mislabelled now and then
_BATCH_NORM_MOMENTUM = 0.97  # Keras' 0.999 is for a million steps; a catalogue has thousands


def pretrained(path: Path) -> Any:
    """A frozen network, pixels [rows, side, side, 3] from 0 to 255 to features [rows, size].

    Args:
        path: Weights of ``keras.applications.MobileNetV3Small`` (with or without its top), or a whole network that
            Keras saved as ``.keras``, whose last layer gives features or maps of them.

    Raises:
        WeightsInvalid: It is neither.
        OSError: It cannot be read.
    """
    if not path.is_file():
        raise WeightsInvalid(f"There is no file of weights at {path}.")
    network = _whole(path) if path.suffix == ".keras" else _application(path)
    network.trainable = False
    return network


def trained(
    photos: Sequence[bytes | None],
    truth: NDArray[np.int64],
    classes: int,
    *,
    seed: int,
    progress: Callable[[float], None] = lambda _: None,
) -> Any:
    """A network trained from scratch on photos, without its last layer.

    Args:
        photos: Encoded, read a batch at a time; one that cannot be decoded is passed over.
        truth: Class index of each.
        classes: How many classes there are.
        seed: Of weights, order and augmentation.
        progress: Told which part is done, from 0 to 1.
    """
    keras().utils.set_random_seed(seed)
    network = _small(weights=None)
    for layer in network.layers:
        if isinstance(layer, keras().layers.BatchNormalization):
            layer.momentum = _BATCH_NORM_MOMENTUM
    batches = _Batches(photos, np.eye(classes, dtype=np.float32)[truth], seed)
    passes = min(max(VIEWS // len(photos), MIN_PASSES), MAX_PASSES)
    steps = len(batches) * passes
    layers = keras().layers
    whole = keras().Sequential([_augmentation(seed), network, layers.Dropout(0.2), layers.Dense(classes)])
    rate = keras().optimizers.schedules.CosineDecay(_RATE / 20, steps, warmup_target=_RATE, warmup_steps=steps // 10)
    whole.compile(
        keras().optimizers.AdamW(rate, weight_decay=0.02),
        keras().losses.CategoricalCrossentropy(from_logits=True, label_smoothing=_SMOOTHING),
    )
    done = keras().callbacks.LambdaCallback(on_epoch_end=lambda epoch, _: progress((epoch + 1) / passes))
    whole.fit(batches, epochs=passes, shuffle=False, verbose=0, callbacks=[done])
    network.trainable = False
    return network


class _Batches(keras().utils.PyDataset):  # type: ignore[misc] # Keras ships no types
    """Pixels, labels and weights, in an order that changes with each pass; a photo that cannot be decoded weighs 0."""

    def __init__(self, photos: Sequence[bytes | None], labels: NDArray[np.float32], seed: int) -> None:
        super().__init__()
        self._photos, self._labels = photos, labels
        self._random = np.random.default_rng(seed)
        self._order = self._random.permutation(len(photos))
        self._decode = tf.function(lambda some: decode(some, SIDE), input_signature=[tf.TensorSpec([None], tf.string)])

    def __len__(self) -> int:
        return (len(self._photos) + _BATCH - 1) // _BATCH

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        rows = self._order[number * _BATCH : (number + 1) * _BATCH]
        images, readable = self._decode(tf.constant([self._photos[row] or b"" for row in rows], tf.string))
        return images, self._labels[rows], tf.cast(readable, tf.float32)

    def on_epoch_end(self) -> None:
        self._order = self._random.permutation(len(self._photos))


def _augmentation(seed: int) -> Any:
    layers = keras().layers
    return keras().Sequential(
        [
            layers.RandomFlip("horizontal", seed=seed),
            layers.RandomZoom((-0.3, 0.1), fill_mode="reflect", seed=seed + 1),
            layers.RandomTranslation(0.1, 0.1, fill_mode="reflect", seed=seed + 2),
            layers.RandomBrightness(0.15, seed=seed + 3),
            layers.RandomContrast(0.15, value_range=(0, 255), seed=seed + 4),
        ]
    )


def _small(weights: Path | None, *, top: bool = False) -> Any:
    return keras().applications.MobileNetV3Small(
        input_shape=(SIDE, SIDE, 3),
        include_top=top,
        weights=None if weights is None else str(weights),
        pooling=None if top else "avg",
    )


def _application(path: Path) -> Any:
    try:
        return _small(path)
    except ValueError:  # the file has the top's weights too
        pass
    try:
        network = _small(path, top=True)
    except ValueError as error:
        raise WeightsInvalid(
            f"{path} does not hold the weights of a MobileNetV3-Small.",
            hint="Give the .h5 file that Keras offers for it, or a network saved as .keras.",
        ) from error
    pooled = [layer for layer in network.layers if isinstance(layer, keras().layers.GlobalAveragePooling2D)]
    return keras().Model(network.input, keras().layers.Flatten()(pooled[-1].output))  # the others are inside blocks


def _whole(path: Path) -> Any:
    try:
        network = keras().saving.load_model(str(path), compile=False, safe_mode=True)  # runs no code of the file
    except (ValueError, TypeError) as error:
        raise WeightsInvalid(f"{path} is no network that Keras can load.") from error
    shape = network.output_shape
    if not isinstance(shape, tuple) or len(shape) not in (2, 4) or len(network.input_shape) != 4:
        raise WeightsInvalid(f"{path} does not turn one image into features.")
    if len(shape) == 4:
        return keras().Model(network.input, keras().layers.GlobalAveragePooling2D()(network.output))
    return network
