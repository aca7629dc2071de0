"""The folders of a data directory that a backup has, copied while they are in use: what they hold is whole files."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from infra.backup.manifest import Told

FOLDERS: Final = ("images", "models", "mlflow", "sets", "monitor")
SECRETS: Final = "secrets"

_DATABASE: Final = "mlflow.db"
_BESIDE: Final = ("-wal", "-shm", "-journal")

Links = dict[tuple[int, int], Path]
"""Where files with several names were copied to, by device and inode."""


def copy_folders(source: Path, target: Path, names: tuple[str, ...], told: Told) -> None:
    """Copy folders, what is hidden in them left out: half-made folders, files that are being written, locks.

    Files with several names, as photos of training sets are, have several names in the copy too.

    Raises:
        OSError: The disk is full or not writable.
    """
    links: Links = {}
    for name in names:
        files = list(_files(source / name))
        for number, path in enumerate(files):
            if number % 100 == 0:
                told(name, number / len(files))
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # gone meanwhile: forgotten, or of an old set
                _copy(path, place, links)
        if files:
            told(name, 1.0)


def _files(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(root) / name
            if not name.startswith(".") and not path.is_symlink() and not name.endswith(_BESIDE):
                yield path


def _copy(path: Path, place: Path, links: Links) -> None:
    if path.name == _DATABASE:
        return _copy_database(path, place)
    status = path.stat()
    key = status.st_dev, status.st_ino
    if status.st_nlink > 1 and key in links:
        return os.link(links[key], place)
    shutil.copy2(path, place)
    if status.st_nlink > 1:
        links[key] = place
    return None


def _copy_database(path: Path, place: Path) -> None:
    """A SQLite file as it was at one moment, whoever writes to it."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source, closing(sqlite3.connect(place)) as copy:
        source.backup(copy)


def for_owner_alone(folder: Path) -> None:
    """Let nobody else look into a folder; it need not be there."""
    for root, _, files in os.walk(folder):
        Path(root).chmod(0o700)
        for name in files:
            (Path(root) / name).chmod(0o600)


def sync(folder: Path) -> None:
    """Have a folder on the disk."""
    for path in (*folder.rglob("*"), folder, folder.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
