"""What small squares of a photo look like: edges and colours, everywhere and at several scales, inside the graph.

Importing this module imports TensorFlow.
"""

from typing import Any, Final

import numpy as np

from model.tensorflow import tensorflow

tf = tensorflow()

Tensor = Any  # TensorFlow ships no types

CELL: Final = 4
"""Side of a cell in pixels; a descriptor covers 4 x 4 cells, and its neighbour lies one cell further."""

SCALES: Final = (1.0, 0.707, 0.5, 0.354)
"""Sizes of the photo at which squares are cut out: those of the smallest one cover nearly three times the width."""

EDGE_SIZE: Final = 128
COLOUR_SIZE: Final = 96

_ORIENTATIONS = 8
_SHARPNESS = 9  # of the orientations: the power of the cosine, as in Lazebnik, Schmid and Ponce 2006
_GREY = (0.299, 0.587, 0.114)
_CLIP = 0.2  # Lowe 2004, section 6.1
_FAINT = 1e-2  # a square with less contrast than this keeps the little that it has


def describe(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Describe every square of photos.

    Args:
        images: [rows, side, side, 3], red, green and blue from 0 to 255.

    Returns:
        Edges (SIFT, Lowe 2004) [rows, squares, EDGE_SIZE], colours (mean and spread of the cells, Clinchant et
        al. 2007) [rows, squares, COLOUR_SIZE], and places of the squares' middles [rows, squares, 2] from -0.5
        to 0.5.
    """
    edges, colours, places = [], [], []
    side = images.shape[1]
    for scale in SCALES:
        size = round(side * scale / CELL) * CELL
        scaled = images if size == side else tf.image.resize(images, [size, size], antialias=True)
        scaled = scaled / 255.0
        edge_cells, colour_cells = _edge_cells(scaled), _colour_cells(scaled)
        edges.append(_normalised(_squares(edge_cells)))
        colours.append(_squares(colour_cells))
        places.append(_places(size // CELL, tf.shape(images)[0]))
    return tf.concat(edges, 1), tf.concat(colours, 1), tf.concat(places, 1)


def _edge_cells(images: Tensor) -> Tensor:
    """Strength of each orientation in each cell, [rows, cells, cells, orientations]."""
    grey = tf.tensordot(images, tf.constant(_GREY), 1)
    padded = tf.pad(grey, [[0, 0], [1, 1], [1, 1]], "SYMMETRIC")
    down = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    right = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    strength = tf.sqrt(down * down + right * right + 1e-12)
    angles = np.arange(_ORIENTATIONS) * 2 * np.pi / _ORIENTATIONS
    towards = tf.stack([right / strength, down / strength], -1) @ tf.constant(
        np.stack([np.cos(angles), np.sin(angles)]), tf.float32
    )
    maps = tf.maximum(towards, 0.0) ** _SHARPNESS * strength[..., None]
    smooth = tf.nn.avg_pool2d(maps, CELL, 1, "SAME")  # twice a box: a pixel also counts for the cells beside its own
    return tf.nn.avg_pool2d(smooth, CELL, CELL, "VALID")


def _colour_cells(images: Tensor) -> Tensor:
    """Mean and standard deviation of red, green and blue in each cell, [rows, cells, cells, 6]."""
    mean = tf.nn.avg_pool2d(images, CELL, CELL, "VALID")
    square = tf.nn.avg_pool2d(images * images, CELL, CELL, "VALID")
    return tf.concat([mean, tf.sqrt(tf.maximum(square - mean * mean, 1e-6))], -1)


def _squares(cells: Tensor) -> Tensor:
    """Each 4 x 4 cells as one descriptor, [rows, squares, 16 x channels]."""
    count = cells.shape[1] - 3
    parts = [cells[:, y : y + count, x : x + count] for y in range(4) for x in range(4)]
    return tf.reshape(tf.concat(parts, -1), [tf.shape(cells)[0], count * count, 16 * cells.shape[3]])


def _normalised(edges: Tensor) -> Tensor:
    """RootSIFT (Arandjelovic and Zisserman 2012) of clipped descriptors."""
    length = tf.sqrt(tf.reduce_sum(edges * edges, -1, keepdims=True))
    clipped = tf.minimum(edges / tf.maximum(length, _FAINT), _CLIP)
    total = tf.reduce_sum(clipped, -1, keepdims=True)
    return tf.sqrt(clipped / tf.maximum(total, 1.0))


def _places(cells: int, rows: Tensor) -> Tensor:
    middles = (np.arange(cells - 3) + 2) / cells - 0.5
    grid = np.stack(np.meshgrid(middles, middles, indexing="ij"), -1).reshape(1, -1, 2)
    return tf.tile(tf.constant(grid, tf.float32), [rows, 1, 1])
