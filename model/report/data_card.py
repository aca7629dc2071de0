"""The data card: what a model was trained on, in counts."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.bundle import DataFacts
from model.report.schema import DataCard
from model.rows import MODALITIES, Rows


def describe_data(
    facts: DataFacts,
    products: Rows,
    codes: NDArray[np.str_],
    keys: NDArray[np.uint64],
    languages: Sequence[str] = (),
) -> DataCard:
    """Count what a data set holds.

    Args:
        facts: File and split.
        products: All rows.
        codes: Category code of each.
        keys: The same for rows with the same title.
        languages: ISO 639-1 code of each test row, '' where unknown; empty when nobody asked.
    """
    _, titles, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    names, numbers, counts = np.unique(codes, return_inverse=True, return_counts=True)
    pairs = np.unique(titles.astype(np.int64) * len(names) + numbers)
    categories_a_title = np.bincount(pairs // len(names), minlength=len(sizes))
    absent = (~products.present).sum(axis=0).tolist()
    return DataCard(
        **facts.model_dump(),
        classes=dict(zip(names.tolist(), counts.tolist(), strict=True)),
        missing=dict(zip(MODALITIES, absent, strict=True)),
        languages=dict(Counter(languages).most_common()),
        duplicates=int((sizes[titles] > 1).sum()),
        conflicting=int((categories_a_title[titles] > 1).sum()),
    )
