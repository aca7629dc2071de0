"""Encoded photos to pixels, inside the graph, so that training and serving see the same ones.

Importing this module imports TensorFlow.
"""

from typing import Any

from model.tensorflow import tensorflow

tf = tensorflow()

Tensor = Any  # TensorFlow ships no types

_AT_ONCE = 2
"""Photos decoded at the same time. Each may take the memory of `model.image.check.MAX_PIXELS`."""

_JPEG_RATIOS = (1, 2, 4, 8)


def decode(photos: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Decode photos and bring them to one size.

    A photo that cannot be decoded takes nothing from its neighbours: it comes out black, and is named.

    Args:
        photos: JPEG, PNG or WebP, strings [rows].
        side: Width and height of the result, in pixels; the photo's proportions are not kept.

    Returns:
        Pixels [rows, side, side, 3], red, green and blue from 0 to 255; and which rows could be decoded [rows].
    """
    count = tf.size(photos, tf.int64)
    decoded = (
        tf.data.Dataset.from_tensor_slices(photos)
        .enumerate()
        .map(lambda row, photo: (row, _pixels(photo, side)), num_parallel_calls=_AT_ONCE, deterministic=True)
        .ignore_errors()
    )
    none = tf.data.Dataset.from_tensors((tf.constant(-1, tf.int64), tf.zeros([side, side, 3])))
    # One that is always there, since a data set without elements has no batch.
    rows, pixels = none.concatenate(decoded).batch(count + 1).get_single_element()
    rows, pixels = rows[1:, None], pixels[1:]
    shape = tf.stack([count, side, side, 3])
    images = tf.ensure_shape(tf.scatter_nd(rows, pixels, shape), [None, side, side, 3])
    return images, tf.scatter_nd(rows, tf.ones_like(rows[:, 0], tf.bool), count[None])


def _pixels(photo: Tensor, side: int) -> Tensor:
    is_jpeg = tf.equal(tf.strings.substr(photo, 0, 3), b"\xff\xd8\xff")
    image = tf.cond(is_jpeg, lambda: _jpeg(photo, side), lambda: _other(photo))
    resized = tf.image.resize(image, [side, side], antialias=True)
    return tf.clip_by_value(tf.ensure_shape(resized, [side, side, 3]), 0, 255)


def _jpeg(photo: Tensor, side: int) -> Tensor:
    """A JPEG decoded at the least of its built-in scales that has enough pixels; of one cut off, what is left."""
    shorter = tf.reduce_min(tf.io.extract_jpeg_shape(photo)[:2])
    scale = tf.reduce_sum(tf.cast([shorter >= side * ratio for ratio in _JPEG_RATIOS[1:]], tf.int32))
    branches = [
        lambda ratio=ratio: tf.io.decode_jpeg(photo, channels=3, ratio=ratio, try_recover_truncated=True)
        for ratio in _JPEG_RATIOS
    ]
    return tf.switch_case(scale, branches)


def _other(photo: Tensor) -> Tensor:
    return tf.io.decode_image(photo, channels=3, expand_animations=False)
