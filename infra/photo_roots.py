"""Places below which photos may be read: directories, and prefixes in object stores.

What a stranger names is never followed out of one: not by a link, not into a device, and not beyond a size.
"""

import errno
import os
import re
import stat
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from infra.errors import PhotoMissing, PhotoOversize, PhotoRefused, PhotoUnavailable, SettingsInvalid
from schemas.errors import AisleError
from schemas.limits import MAX_PHOTO_BYTES

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.ASCII | re.IGNORECASE)
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
        return read_file(path)


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
            check_size(facts["size"])
            content: bytes = self._files.cat_file(path, start=0, end=MAX_PHOTO_BYTES + 1)
        except AisleError:
            raise
        except FileNotFoundError as error:
            raise PhotoMissing("There is no photo where the uri says.") from error
        except Exception as error:  # each driver raises what its client does
            raise PhotoUnavailable("The object store did not give the photo.") from error
        check_size(len(content))
        return content


def check_size(size: int) -> None:
    """Refuse a photo of too many bytes.

    Raises:
        PhotoOversize: It is larger than any photo may be.
    """
    if size > MAX_PHOTO_BYTES:
        raise PhotoOversize(f"The photo has more than {MAX_PHOTO_BYTES:,} bytes.")


def read_file(path: Path) -> bytes:
    """A plain file's bytes, sized before they are read; a pipe or a device is neither waited for nor read.

    Raises:
        PhotoMissing: There is none.
        PhotoOversize: It is too large.
        PhotoRefused: It is no plain file.
        PhotoUnavailable: The disk did not give it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise PhotoRefused("The photo's uri names no plain file.")
            check_size(status.st_size)
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                content = file.read(MAX_PHOTO_BYTES + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _told(error) from error
    except ValueError as error:  # a name that no file system can have
        raise PhotoMissing("There is no photo where the uri says.") from error
    check_size(len(content))
    return content


def _told(error: OSError) -> AisleError:
    if error.errno in _ABSENT:
        return PhotoMissing("There is no photo where the uri says.")
    if error.errno in _ODD:
        return PhotoRefused("The photo's uri names no plain file.")
    return PhotoUnavailable(f"The photo cannot be read: {error.strerror}.")
