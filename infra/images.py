"""The image store: photos by the SHA-256 of their bytes, so that documents hold a reference and never a photo."""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile


class ImageStore:
    """A folder of photos, each under its own hash.

    Args:
        root: The folder; made when the first photo comes.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, digest: str, content: bytes, *, flush: bool = True) -> None:
        """Keep a photo under its SHA-256; one that is there already is not written again.

        Args:
            digest: SHA-256 of the photo.
            content: Its bytes.
            flush: Return when it is on the disk; without it, whoever keeps many sees to that once, at the end.

        Raises:
            OSError: The disk is full or not writable.
        """
        path = self.path(digest)
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
            try:
                file.write(content)
                file.flush()
                if flush:
                    os.fsync(file.fileno())
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise

    def remove(self, digest: str) -> None:
        """Remove the photo with this SHA-256, if it is there.

        Raises:
            OSError: The disk does not let it.
        """
        self.path(digest).unlink(missing_ok=True)

    def path(self, digest: str) -> Path:
        """Where the photo with this SHA-256 is, or would be."""
        return self._root / digest[:2] / digest
