"""The photos of a data set, read from their files when somebody looks at them."""

from collections.abc import Sequence
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from model.errors import PhotoInvalid
from schemas.limits import MAX_PHOTO_BYTES


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

    def take(self, chosen: Sequence[int] | NDArray[np.int64]) -> "PhotoFiles":
        """Some of the photos, still in their files."""
        return PhotoFiles([self._paths[row] for row in chosen])
