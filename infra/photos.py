"""Photos that events name: read from the event itself, from below configured roots, or from the image store.

An event comes from a stranger, so what it names is never followed anywhere else: not to another host, not out of a
root by ``..`` or a link, not into a device, and not beyond a size.
"""

import asyncio
import binascii
import errno
import os
import re
import stat
from base64 import b64decode
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from infra.errors import PhotoMissing, PhotoOversize, PhotoRefused, PhotoUnavailable, SettingsInvalid
from infra.images import ImageStore
from schemas.errors import AisleError
from schemas.limits import MAX_PHOTO_BYTES
from schemas.product import Image

READERS: Final = 8
"""Photos read at the same time: an object store answers in tens of milliseconds, each of them waiting."""

DEADLINE_S: Final = 10.0
"""Longest wait for the photos of a batch; the products whose photo is not there yet go without."""

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.ASCII | re.IGNORECASE)
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)
_STORES: Final = ("s3", "gs", "gcs", "az", "abfs", "memory")
_ABSENT: Final = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EINVAL)
_ODD: Final = (errno.ELOOP, errno.ENXIO, errno.EISDIR)  # a link put there meanwhile, a socket, a directory


class Root(Protocol):
    """A place below which photos may be read."""

    def locate(self, uri: str) -> str | None:
        """The part of a uri below this root; None when it names another place."""

    def read(self, inside: str) -> bytes:
        """The photo there; blocks.

        Raises:
            PhotoMissing: There is none.
            PhotoOversize: It is too large.
            PhotoRefused: It lies outside, or is no plain file.
            PhotoUnavailable: The store did not answer.
        """


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
            return _read_file(self._images.path(digest[1]))
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


def open_root(root: str) -> Root:
    """A root by its setting.

    Raises:
        SettingsInvalid: It is no directory, or of a kind that cannot be read here.
    """
    scheme = _SCHEME.match(root)
    if scheme is None or root.startswith("file:///"):
        return DirectoryRoot(Path(root.removeprefix("file://")))
    if scheme[1] not in _STORES or "::" in root:
        raise SettingsInvalid(
            f"AISLE_IMAGE_ROOTS has {root!r}: photos are read from directories and object stores only.",
            hint="Name a directory, or a bucket such as s3://bucket/prefix.",
        )
    return StoreRoot(root)


class DirectoryRoot:
    """A directory of photos.

    Args:
        path: The directory; links that lead out of it are not followed.

    Raises:
        SettingsInvalid: It is not there.
    """

    def __init__(self, path: Path) -> None:
        self._root = path.resolve()
        if not self._root.is_dir():
            raise SettingsInvalid(f"AISLE_IMAGE_ROOTS has {str(path)!r}, which is no directory.")

    def locate(self, uri: str) -> str | None:
        """A relative path, or an absolute one below the root, as it is or as a file:// uri."""
        if _SCHEME.match(uri):
            if not uri.lower().startswith("file:///"):
                return None
            uri = uri[len("file://") :]
        path = PurePosixPath(uri)
        if not path.is_absolute():
            return uri
        return str(path.relative_to(self._root)) if path.is_relative_to(self._root) else None

    def read(self, inside: str) -> bytes:
        """The file's bytes."""
        try:
            path = (self._root / inside).resolve()
        except (OSError, RuntimeError, ValueError) as error:  # links in a circle, a name too long
            raise PhotoMissing("There is no photo where the uri says.") from error
        if not path.is_relative_to(self._root):
            raise PhotoRefused("The photo's uri leads out of the image root by a link.")
        return _read_file(path)


class StoreRoot:
    """A prefix in an object store, by fsspec.

    Args:
        url: Of the prefix; credentials come from where the store's own tools find them.

    Raises:
        SettingsInvalid: Its driver is not installed, or refuses the url.
    """

    def __init__(self, url: str) -> None:
        from fsspec.core import url_to_fs

        self._url = url.rstrip("/") + "/"
        try:
            self._files, self._path = url_to_fs(self._url)
        except ImportError as error:
            raise SettingsInvalid(
                f"AISLE_IMAGE_ROOTS has {url!r}, whose driver is not installed: {error}",
                hint="For s3:// `pip install 'aisle[s3]'`, for gs:// `pip install 'aisle[gcs]'`.",
            ) from error
        except ValueError as error:
            raise SettingsInvalid(f"AISLE_IMAGE_ROOTS has {url!r}: {error}.") from error

    def locate(self, uri: str) -> str | None:
        """A relative path, or a url below the root."""
        if uri.startswith(self._url):
            return uri[len(self._url) :]
        return None if _SCHEME.match(uri) or uri.startswith("/") else uri

    def read(self, inside: str) -> bytes:
        """The object's bytes."""
        path = f"{self._path.rstrip('/')}/{inside}"
        try:
            facts = self._files.info(path)
            if facts.get("type") != "file" or facts.get("size") is None:
                raise PhotoRefused("The photo's uri names no plain object.")
            _check_size(facts["size"])
            content: bytes = self._files.cat_file(path, start=0, end=MAX_PHOTO_BYTES + 1)
        except AisleError:
            raise
        except FileNotFoundError as error:
            raise PhotoMissing("There is no photo where the uri says.") from error
        except Exception as error:  # each driver raises what its client does
            raise PhotoUnavailable("The object store did not give the photo.") from error
        _check_size(len(content))
        return content


def _check_uri(uri: str) -> None:
    """Refuse what no root may be asked for."""
    if "::" in uri or "\0" in uri or "\\" in uri:  # :: chains one fsspec url to another
        raise PhotoRefused("The photo's uri has a character that no path of a photo has.")
    if ".." in uri.split("/"):
        raise PhotoRefused("The photo's uri has '..' in it.")


def _check_size(size: int) -> None:
    if size > MAX_PHOTO_BYTES:
        raise PhotoOversize(f"The photo has more than {MAX_PHOTO_BYTES:,} bytes.")


def _in_place(text: str) -> bytes:
    try:
        content = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise PhotoRefused("The photo is not base64.") from error
    _check_size(len(content))
    return content


def _read_file(path: Path) -> bytes:
    """A plain file's bytes, sized before they are read; a pipe or a device is neither waited for nor read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise PhotoRefused("The photo's uri names no plain file.")
            _check_size(status.st_size)
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                content = file.read(MAX_PHOTO_BYTES + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _told(error) from error
    except ValueError as error:  # a name that no file system can have
        raise PhotoMissing("There is no photo where the uri says.") from error
    _check_size(len(content))
    return content


def _told(error: OSError) -> AisleError:
    if error.errno in _ABSENT:
        return PhotoMissing("There is no photo where the uri says.")
    if error.errno in _ODD:
        return PhotoRefused("The photo's uri names no plain file.")
    return PhotoUnavailable(f"The photo cannot be read: {error.strerror}.")
