"""The photos of a batch: read from where events say they are, and checked before anything decodes them."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

from infra.images import ImageStore
from infra.photos import Photos
from infra.settings import Settings
from model.classifier import Photo
from schemas.errors import AisleError
from schemas.product import Image, Product

AT_A_TIME: Final = 64
"""Photos held in memory at once: a batch is bounded by what its records hold, which for a photo elsewhere is a name."""


class PhotoReader:
    """Gives each product its photo, or the reason why it has none.

    Args:
        photos: Reads from the configured roots.
    """

    def __init__(self, photos: Photos) -> None:
        self._photos = photos

    @classmethod
    def of(cls, settings: Settings) -> "PhotoReader":
        """The reader of these settings' roots and image store.

        Raises:
            SettingsInvalid: A root is no directory, or of a kind that cannot be read here.
        """
        roots = [root.strip() for root in (settings.image_roots or "").split(",")]
        return cls(Photos([root for root in roots if root], ImageStore(settings.data_dir / "images")))

    async def read(self, products: Sequence[Product]) -> list[Photo]:
        """The photo of each product: checked bytes, why it cannot be used, or None where none is named."""
        return await self.read_images([product.image for product in products])

    async def read_images(self, images: Sequence[Image | None]) -> list[Photo]:
        """The same, of what products say of their photos."""
        found = await self._photos.read(images)
        return await asyncio.to_thread(lambda: [_usable(photo) for photo in found])


def parts(images: Sequence[Image | None]) -> Iterator[slice]:
    """Slices of a batch that have at most `AT_A_TIME` photos each, in order."""
    start = count = 0
    for number, image in enumerate(images):
        if image is not None:
            count += 1
            if count > AT_A_TIME:
                yield slice(start, number)
                start, count = number, 1
    yield slice(start, len(images))


def _usable(photo: bytes | AisleError | None) -> Photo:
    from model.image.check import checked  # Pillow is loaded by who meets a photo

    if not isinstance(photo, bytes):
        return None if photo is None else photo.message
    try:
        return checked(photo)
    except AisleError as error:
        return error.message
