"""The photo of an item: read where it is, and sent only if it is one."""

import asyncio
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from infra.photos import Photos
from infra.settings import Settings
from infra.store import Document
from model.errors import PhotoFormat
from model.image.check import checked, media_format
from schemas.errors import AisleError
from schemas.product import Image
from workers.gateway.access import Principal, Right
from workers.gateway.errors import NotFound
from workers.gateway.items.view import is_kept, photo_uri

_MEDIA_TYPES: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_FOREVER: Final = "private, max-age=31536000, immutable"
_A_WHILE: Final = "private, max-age=60"


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo that can be sent.

    Args:
        content: Its bytes.
        media_type: By these bytes, whatever anybody said.
        cache: How long a browser may keep it: for good where its name is its hash.
    """

    content: bytes
    media_type: str
    cache: str

    @property
    def tag(self) -> str:
        """Its entity tag."""
        return f'"{sha256(self.content).hexdigest()}"'


def may_name_photos(who: Principal, settings: Settings) -> bool:
    """Whether a caller may name photos, and look at those that are only named: all below the image roots.

    Who may not sees those in the image store, by whose hashes nobody but a producer names them.
    """
    return who.may(Right.REVIEW) or settings.gateway_photo_uris


async def photo_of(document: Document, photos: Photos, *, named: bool) -> Photo:
    """The photo of a stored item.

    Args:
        document: The item.
        photos: Reads it.
        named: Whether it may be one that the event only names; else its bytes have to have come with it.

    Raises:
        NotFound: It has none, or none that may be shown.
        PhotoMissing: It is not there any more.
        PhotoRefused: It may not be read from where it is.
        PhotoOversize: It is too large.
        PhotoUnavailable: Its disk or object store does not answer.
        PhotoInvalid: It is no photo.
    """
    uri = photo_uri(document.get("product", {}).get("image") or {})
    if uri is None or not (named or is_kept(uri)):
        raise NotFound("This item has no photo.")
    (content,) = await photos.read([Image(uri=uri)])
    if isinstance(content, AisleError):
        raise content
    if content is None:
        raise NotFound("This item has no photo.")
    return await asyncio.to_thread(_photo, content, _FOREVER if is_kept(uri) else _A_WHILE)


def _photo(content: bytes, cache: str) -> Photo:
    media_type = _MEDIA_TYPES.get(media_format(checked(content)) or "")
    if media_type is None:
        raise PhotoFormat("The photo is in no known format; JPEG, PNG and WebP are read.")
    return Photo(content, media_type, cache)
