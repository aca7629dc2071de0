"""What a product says of itself: products with the same title, description and photo are one content."""

from base64 import b64decode
from hashlib import sha256

import orjson

from schemas.product import Image, Product


def content_digest(title: str | None, description: str | None, photo: str | None) -> bytes:
    """SHA-256 of the JSON array ``[title, description, photo]`` without spaces, in UTF-8, null for what is absent.

    Args:
        title: As it was published.
        description: Likewise.
        photo: ``sha256:`` and the digest of its bytes for one that came in the event, else its uri.
    """
    return sha256(orjson.dumps((title, description, photo))).digest()


def content_key(title: str | None, description: str | None, photo: str | None) -> str:
    """The key of a content on the topic ``verdicts``: its digest in hexadecimal."""
    return content_digest(title, description, photo).hex()


def digest_of(product: Product) -> bytes:
    """The digest of a product's content."""
    image = product.image
    return content_digest(product.title, product.description, None if image is None else photo_name(image))


def key_of(product: Product) -> str:
    """The key of a product's content."""
    return digest_of(product).hex()


def photo_name(image: Image) -> str | None:
    """What names a photo: its uri, or its digest; None for one that is not base64, which nobody has seen."""
    content = photo_content(image)
    return image.uri if content is None else digest_name(sha256(content).hexdigest())


def photo_content(image: Image) -> bytes | None:
    """The bytes of a photo that came in the event; None where it did not, or is not base64."""
    try:
        return None if image.base64 is None else b64decode(image.base64, validate=True)
    except ValueError:
        return None


def digest_name(digest: str) -> str:
    """The uri by which the image store knows the photo with this SHA-256."""
    return f"sha256:{digest}"
