"""Photos that callers send: checked, kept in the image store, and named by their hash from then on."""

import asyncio
from hashlib import sha256
from typing import Final

from infra.images import ImageStore
from model.image.check import checked
from schemas.content import digest_name, photo_content
from schemas.product import Image
from workers.gateway.errors import Forbidden, Unprocessable

NOT_NAMED: Final = "Customers send photos; they do not name them by uri."


async def keep_photo(images: ImageStore, content: bytes) -> Image:
    """Keep a photo; returns the reference that goes into the event.

    Raises:
        PhotoInvalid: It is no photo that can be read.
        OSError: The disk is full or not writable.
    """

    def keep() -> str:
        checked(content)
        digest = sha256(content).hexdigest()
        images.put(digest, content)
        return digest

    return Image(uri=digest_name(await asyncio.to_thread(keep)))


async def kept(images: ImageStore, image: Image | None, *, may_name: bool) -> Image | None:
    """What a caller's photo becomes in the event: one in place is kept, one elsewhere stays there.

    Raises:
        Forbidden: It is elsewhere, and the caller may not name photos.
        Unprocessable: It is not base64.
        PhotoInvalid: It is no photo that can be read.
    """
    if image is None:
        return None
    if image.base64 is None:
        if not may_name:
            raise Forbidden(NOT_NAMED, hint="Send its bytes: as image.base64, or with the form's part image.")
        return image
    content = photo_content(image)
    if content is None:
        raise Unprocessable("image.base64 is not base64.")
    return await keep_photo(images, content)
