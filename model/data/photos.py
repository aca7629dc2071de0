"""The photos of a data set, read from their files when somebody looks at them."""

import os
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from model.errors import PhotoInvalid
from schemas.limits import MAX_PHOTO_BYTES

_SAMPLE_BYTES = 4096


class PhotoFiles(Sequence[bytes | None]):
    """Photos in files. Only what is asked for is in memory, as a catalogue's photos are many gigabytes.

    Args:
        paths: Where each row's photo is; None where there is none.
    """

    def __init__(self, paths: Sequence[Path | None]) -> None:
        self._paths = list(paths)

    def __len__(self) -> int:
        return len(self._paths)

    @overload
    def __getitem__(self, row: int) -> bytes | None: ...

    @overload
    def __getitem__(self, row: slice) -> Sequence[bytes | None]: ...

    def __getitem__(self, row: int | slice) -> bytes | Sequence[bytes | None] | None:
        """The photo's bytes, checked; None where there is none, or none that may be decoded."""
        from model.image.check import checked

        if isinstance(row, slice):
            return PhotoFiles(self._paths[row])
        path = self._paths[row]
        try:
            if path is None or path.stat().st_size > MAX_PHOTO_BYTES:
                return None
            return checked(path.read_bytes())
        except (OSError, PhotoInvalid):
            return None

    @property
    def named(self) -> NDArray[np.bool_]:
        """Which rows name a file; whether it can be decoded shows when it is."""
        return np.array([path is not None for path in self._paths], np.bool_)

    def stamps(self) -> list[tuple[str, int, int]]:
        """Path, size and time of change of each file that is there: by these one knows that photos are others now."""
        found = {str(path): path.stat() for path in self._paths if path is not None and path.is_file()}
        return [(path, status.st_size, status.st_mtime_ns) for path, status in found.items()]

    def contents(self) -> NDArray[np.int64]:
        """A number for each row's photo, the same where the photo is; -1 where there is none.

        Two files are taken for the same photo when their sizes are equal and so are 4 KiB in their middle, where what
        is encoded differs most: to read 85,000 files whole takes minutes.
        """
        sizes = {path: _size(path) for path in dict.fromkeys(self._paths) if path is not None}
        alike = Counter(sizes.values())
        numbers: dict[tuple[int, bytes], int] = {}
        by_path = {
            path: numbers.setdefault((size, _middle(path, size) if alike[size] > 1 else b""), len(numbers))
            for path, size in sizes.items()
            if size
        }
        return np.array([-1 if path is None else by_path.get(path, -1) for path in self._paths], np.int64)

    def take(self, chosen: Sequence[int] | NDArray[np.int64]) -> "PhotoFiles":
        """Some of the photos, still in their files."""
        return PhotoFiles([self._paths[row] for row in chosen])


def _size(path: Path) -> int:
    """In bytes; 0 of what is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _middle(path: Path, size: int) -> bytes:
    """A digest of some bytes of a file; of one that cannot be read, of its name."""
    try:
        with path.open("rb", buffering=0) as file:
            some = os.pread(file.fileno(), _SAMPLE_BYTES, max(0, (size - _SAMPLE_BYTES) // 2))
    except OSError:
        some = os.fsencode(path)
    return blake2b(some, digest_size=16).digest()
