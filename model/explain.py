"""Which words and n-grams spoke for a category: the sums of the text stage, taken apart.

The stage is linear: what a feature adds to a class is its weight in the table times what brings its view to length 1
(see `model.text.network`). So the contributions of all features and the bias are the stage's own margins, but for the
order in which they are added. Everything here is read and computed without TensorFlow.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.bundle import Manifest
from model.data.cleaning import MAX_DESCRIPTION, MAX_TITLE, clean, is_cut, part_read
from model.errors import BundleInvalid
from model.text.views import FIELDS, VIEWS, Field, Kind, View
from model.variables import variables
from model.words import BUCKETS, Feature, features_of, split

STAGE: Final = "text"
LONGEST: Final[Mapping[Field, int]] = {"title": MAX_TITLE, "description": MAX_DESCRIPTION}
"""Characters of each field, cleaned, that a model reads."""

_TINY: Final = 1e-12  # the squared length of a text without a feature that training saw


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one feature adds to each class.

    Args:
        feature: What was counted, and where.
        field: Of the product.
        adds: [classes].
    """

    feature: Feature
    field: Field
    adds: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Taken:
    """The margins of a stage, taken apart.

    Args:
        words: Of each field, the cleaned words in order.
        read: Of each field, the part of the text as it came that the model reads.
        cut: The fields of which that, cleaned, is not all.
        contributions: Of every feature that training saw.
        bias: [classes].
    """

    words: dict[Field, list[str]]
    read: dict[Field, str]
    cut: Sequence[Field]
    contributions: Sequence[Contribution]
    bias: NDArray[np.float32]

    def margins(self) -> NDArray[np.float32]:
        """What all of them come to, [classes]: the stage's own, before the softmax."""
        total: NDArray[np.float32] = np.sum([self.bias, *(one.adds for one in self.contributions)], axis=0)
        return total


class LinearStage:
    """The text stage of a bundle, opened to be explained; its tables stay on the disk.

    Args:
        saved_model: The stage's directory.

    Raises:
        BundleInvalid: It has other views than these, or cannot be read.
    """

    def __init__(self, saved_model: Path) -> None:
        arrays = variables(saved_model)
        tables = [(rows, table) for rows, table in pairwise(arrays) if rows.shape == (BUCKETS,)]
        order = [view for fields in dict.fromkeys(view.fields for view in VIEWS) for view in _of(fields)]
        if len(tables) != len(order) or not arrays or len({table.shape[1:] for _, table in tables}) != 1:
            raise BundleInvalid(f"{saved_model} has other views than this release explains.")
        self._bias: NDArray[np.float32] = arrays[0]
        self._tables = list(zip(order, tables, strict=True))

    def take_apart(self, title: str | None, description: str | None) -> Taken:
        """The margins of a product, taken apart.

        Args:
            title: As it came.
            description: Likewise.
        """
        texts: dict[Field, str] = {"title": title or "", "description": description or ""}
        words = {field: split(clean(texts[field], LONGEST[field])) for field in FIELDS}
        found = [one for view, table in self._tables for one in self._view(view, table, words)]
        read = {field: part_read(texts[field], LONGEST[field]) for field in FIELDS}
        cut = [field for field in FIELDS if is_cut(texts[field], LONGEST[field])]
        return Taken(words, read, cut, found, np.asarray(self._bias))

    def _view(
        self, view: View, table: tuple[NDArray[Any], NDArray[Any]], words: dict[Field, list[str]]
    ) -> Iterator[Contribution]:
        features = [(field, one) for field in view.fields for one in _features(view.kinds, words[field])]
        if not features:
            return
        rows, weights = table
        own = np.asarray(weights[rows[[one.bucket for _, one in features]]], np.float32)
        length = np.sqrt(max(float(own[:, -1].sum()), _TINY))
        adds = (own[:, :-1] / length).astype(np.float32)
        for at in adds.any(axis=1).nonzero()[0]:
            field, feature = features[at]
            yield Contribution(feature, field, adds[at])


def open_stage(bundle: Path, manifest: Manifest) -> LinearStage | None:
    """The stage of a bundle that can be explained; None where it has none.

    Args:
        bundle: Its directory.
        manifest: Says which stages it has.
    """
    if STAGE not in manifest.stages:
        return None
    try:
        return LinearStage(bundle / STAGE)
    except BundleInvalid:
        return None


def _of(fields: tuple[Field, ...]) -> list[View]:
    return [view for view in VIEWS if view.fields == fields]


def _features(kinds: Sequence[Kind], words: Sequence[str]) -> Iterator[Feature]:
    for kind in kinds:
        yield from features_of(kind, words)
