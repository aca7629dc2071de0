"""How fast a stage is on its own."""

from time import perf_counter
from typing import Final

import numpy as np

from model.rows import MODALITIES, Rows
from model.stages import Stage

BATCH: Final = 32
"""Rows a call, what the streams send when there is little to do."""

_CALLS = 8


def rows_per_s(stage: Stage, products: Rows) -> float | None:
    """Rows a second of a stage, in calls of `BATCH` of the rows that have something it reads; None without such rows.

    Rows are repeated where there are too few; texts are cleaned and photos read beforehand.

    Args:
        stage: In service.
        products: Rows to call it with.
    """
    readable = products.present[:, [modality in stage.reads for modality in MODALITIES]].any(axis=1)
    rows = np.flatnonzero(readable)
    if not len(rows):
        return None
    looks = "image" in stage.reads
    few = products.take(rows[: BATCH if looks else _CALLS * BATCH])
    few = few.in_memory() if looks else few.without("image")
    order = np.resize(np.arange(len(few)), _CALLS * BATCH)
    batches = [few.take(order[start : start + BATCH]) for start in range(0, len(order), BATCH)]
    for batch in batches:  # cleans, and warms every shape
        stage.log_probabilities(batch)
    begin = perf_counter()
    for batch in batches:
        stage.log_probabilities(batch)
    return len(order) / (perf_counter() - begin)
