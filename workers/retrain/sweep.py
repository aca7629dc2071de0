"""What killed trainings leave behind."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from time import time
from typing import Final

_LEFT_S: Final = 7 * 86_400.0
"""Nobody goes on after this long with what was left half-made, nor works so long on it."""

_PARTS: Final = ("models/.*-*", "sets/.*-*", "checkpoints/*")


def sweep(data_dir: Path) -> None:
    """Remove half-made folders and checkpoints that nobody has touched for a week.

    Args:
        data_dir: The data directory; no other training may be under way in it.
    """
    for path in _old(data_dir):
        shutil.rmtree(path, ignore_errors=True)


def _old(data_dir: Path) -> Iterator[Path]:
    for pattern in _PARTS:
        for path in data_dir.glob(pattern):
            if path.is_dir() and time() - path.stat().st_mtime > _LEFT_S:
                yield path
