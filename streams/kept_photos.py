"""Photos on their way to the image store, so that pages and later trainings find each by its SHA-256."""

import asyncio
from collections.abc import Mapping, Sequence
from hashlib import sha256
from time import monotonic
from typing import Final

from infra.images import ImageStore
from infra.logging import get_logger
from schemas.product import Image
from streams.items import Document, copied
from streams.photos import PhotoReader, parts

logger = get_logger(__name__)

FETCH_S: Final = 20.0
"""Longest that a batch is held up by photos that lie elsewhere; the rest of them stay where they are."""


class PhotoKeeper:
    """Puts photos into the image store.

    Args:
        images: The store.
        reader: Reads the photos that events only name; None: those stay where they are.
    """

    def __init__(self, images: ImageStore, reader: PhotoReader | None) -> None:
        self._images = images
        self._reader = reader

    async def keep(self, photos: Mapping[str, bytes]) -> None:
        """Keep photos, by their SHA-256.

        Raises:
            OSError: The disk is full or not writable.
        """
        if photos:
            await asyncio.to_thread(self._put, photos)

    async def fetch(self, named: Sequence[tuple[Image, Document]]) -> None:
        """Keep the photos that products name, and put their hashes into the products' documents.

        A photo that cannot be had, or is none, changes nothing: its document goes on naming its place.

        Args:
            named: Photos that lie elsewhere, each with the document of its product.

        Raises:
            OSError: The disk is full or not writable.
        """
        if self._reader is None or not named:
            return
        until, missing, why = monotonic() + FETCH_S, 0, "no time was left for it"
        for some in parts([image for image, _ in named]):
            here, late = named[some], monotonic() > until
            found = [None] * len(here) if late else await self._reader.read_images([image for image, _ in here])
            had = {row: photo for row, photo in enumerate(found) if isinstance(photo, bytes)}
            digests = {row: sha256(photo).hexdigest() for row, photo in had.items()}
            await self.keep({digests[row]: photo for row, photo in had.items()})
            for row, digest in digests.items():
                image, document = here[row]
                document["image"] = copied(image, digest, len(had[row]))
            missing += len(here) - len(had)
            why = next((reason for reason in found if isinstance(reason, str)), why)
        if missing:
            logger.info("photos not kept", count=missing, of=len(named), why=why)

    def _put(self, photos: Mapping[str, bytes]) -> None:
        for digest, content in photos.items():
            self._images.put(digest, content)
