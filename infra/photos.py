"""Photos that events name: read from the event itself, from below configured roots, or from the image store.

An event comes from a stranger, so what it names is never followed anywhere else: not to another host, not out of a
root by ``..`` or a link, not into a device, and not beyond a size.
"""

import asyncio
import binascii
import re
from base64 import b64decode
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from infra.errors import PhotoMissing, PhotoRefused, PhotoUnavailable
from infra.images import ImageStore
from infra.photo_roots import check_size, open_root, read_file
from schemas.errors import AisleError
from schemas.product import Image

READERS: Final = 8
"""Photos read at the same time: an object store answers in tens of milliseconds, each of them waiting."""

DEADLINE_S: Final = 10.0
"""Longest wait for the photos of a batch; the products whose photo is not there yet go without."""

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)


class Photos:
    """Reads the photos of products.

    Args:
        roots: Directories, or fsspec urls of object stores such as ``s3://bucket/prefix``.
        images: The image store, for uris of the form ``sha256:<64 hex digits>``.
        deadline_s: Longest wait for all photos of one call.

    Raises:
        SettingsInvalid: A root is no directory, or of a kind that cannot be read here.
    """

    def __init__(self, roots: Sequence[str], images: ImageStore | None = None, deadline_s: float = DEADLINE_S) -> None:
        self._roots = [open_root(root) for root in roots]
        self._images = images
        self._deadline_s = deadline_s
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="photos")

    async def read(self, images: Sequence[Image | None]) -> list[bytes | AisleError | None]:
        """The photos of some products: for each its bytes, why it cannot be had, or None where none was named."""
        loop = asyncio.get_running_loop()
        tasks = {
            loop.run_in_executor(self._threads, self._answer, image): position
            for position, image in enumerate(images)
            if image is not None
        }
        answers: list[bytes | AisleError | None] = [None] * len(images)
        if not tasks:
            return answers
        done, late = await asyncio.wait(tasks, timeout=self._deadline_s)
        for task in done:
            answers[tasks[task]] = task.result()
        for task in late:
            task.cancel()
            answers[tasks[task]] = PhotoUnavailable(f"The photo did not come within {self._deadline_s:g} s.")
        return answers

    def read_one(self, image: Image) -> bytes:
        """The bytes of a photo; blocks.

        Raises:
            PhotoRefused: What it names may not be read.
            PhotoMissing: Nothing is there.
            PhotoOversize: It is too large.
            PhotoUnavailable: Its store did not answer.
        """
        if image.base64 is not None:
            return _in_place(image.base64)
        uri = image.uri or ""
        digest = _DIGEST.fullmatch(uri)
        if digest is not None and self._images is not None:
            return read_file(self._images.path(digest[1]))
        _check_uri(uri)
        places = [(root, inside) for root in self._roots if (inside := root.locate(uri)) is not None]
        if not places:
            raise PhotoRefused("The photo's uri names no place below a configured image root.")
        for root, inside in places[:-1]:
            try:
                return root.read(inside)
            except PhotoMissing:
                continue
        root, inside = places[-1]
        return root.read(inside)

    def close(self) -> None:
        """Let the threads go; a read that hangs is left to itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _answer(self, image: Image) -> bytes | AisleError:
        try:
            return self.read_one(image)
        except AisleError as error:
            return error


def _check_uri(uri: str) -> None:
    """Refuse what no root may be asked for."""
    if "::" in uri or "\0" in uri or "\\" in uri:  # :: chains one fsspec url to another
        raise PhotoRefused("The photo's uri has a character that no path of a photo has.")
    if ".." in uri.split("/"):
        raise PhotoRefused("The photo's uri has '..' in it.")


def _in_place(text: str) -> bytes:
    try:
        content = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise PhotoRefused("The photo is not base64.") from error
    check_size(len(content))
    return content
