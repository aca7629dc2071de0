"""Products as the stages see them: one row each, in columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.data.cleaning import clean_description, clean_title
from model.data.photos import PhotoFiles
from schemas.prediction import Modality
from schemas.product import Product

MODALITIES: Final[tuple[Modality, ...]] = ("title", "description", "image")


@dataclass(frozen=True)
class Rows:
    """Some products.

    Args:
        raw_titles: Titles as they came; '' where there is none.
        raw_descriptions: Descriptions, likewise.
        photos: Encoded photos (JPEG, PNG or WebP) that have passed the checks of `model.image`, in memory or in their
            files; None where there is none. Empty when no row has one.
    """

    raw_titles: Sequence[str]
    raw_descriptions: Sequence[str]
    photos: Sequence[bytes | None] = ()

    @classmethod
    def of(cls, products: Sequence[Product], photos: Sequence[bytes | None] = ()) -> "Rows":
        """The rows of products, whose photos somebody else has read."""
        return cls(
            [product.title or "" for product in products],
            [product.description or "" for product in products],
            photos if any(photos) else (),
        )

    def __len__(self) -> int:
        return len(self.raw_titles)

    @cached_property
    def titles(self) -> list[str]:
        """Cleaned titles; '' where nothing is left."""
        return [clean_title(title) for title in self.raw_titles]

    @cached_property
    def descriptions(self) -> list[str]:
        """Cleaned descriptions; '' where nothing is left."""
        return [clean_description(description) for description in self.raw_descriptions]

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """Which modalities each row has, [rows, title | description | image]."""
        photos = self.photos
        named = photos.named if isinstance(photos, PhotoFiles) else [bool(photo) for photo in photos]
        texts = [[bool(text) for text in column] for column in (self.titles, self.descriptions)]
        return np.array([*texts, named if len(named) else [False] * len(self)], np.bool_).T.reshape(len(self), 3)

    def take(self, chosen: Sequence[int] | NDArray[np.int64]) -> "Rows":
        """Some of the rows, in the order given."""
        photos = self.photos
        some = Rows(
            [self.raw_titles[row] for row in chosen],
            [self.raw_descriptions[row] for row in chosen],
            photos.take(chosen) if isinstance(photos, PhotoFiles) else [photos[row] for row in chosen if photos],
        )
        vars(some).update({name: [texts[row] for row in chosen] for name, texts in self._cleaned.items()})
        return some

    def without(self, modality: Modality) -> "Rows":
        """The same rows with one modality gone."""
        none = [""] * len(self)
        rest = Rows(
            none if modality == "title" else self.raw_titles,
            none if modality == "description" else self.raw_descriptions,
            () if modality == "image" else self.photos,
        )
        vars(rest).update({name: none if name == f"{modality}s" else texts for name, texts in self._cleaned.items()})
        return rest

    def in_memory(self) -> "Rows":
        """The same rows, with the photos that lie in files read."""
        read = Rows(self.raw_titles, self.raw_descriptions, list(self.photos))
        vars(read).update(self._cleaned)
        return read

    @property
    def _cleaned(self) -> dict[str, list[str]]:
        """The columns that are cleaned already: to clean them again costs more than all else here."""
        return {name: vars(self)[name] for name in ("titles", "descriptions") if name in vars(self)}
