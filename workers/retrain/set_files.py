"""Where sets are, and how their files come to be: whole, or not at all."""

import csv
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from infra.images import ImageStore
from schemas.taxonomy import Taxonomy
from workers.retrain.set_rows import IMAGES, SetRow

MANIFEST: Final = "manifest.json"

_SETS: Final = "sets"


def sets_dir(data_dir: Path) -> Path:
    """The folder of sets below the data directory."""
    return data_dir / _SETS


@contextmanager
def in_one_step(folder: Path) -> Iterator[Path]:
    """A folder to fill that takes its name when the context ends well; one that is there stays as it is.

    What has its name is on the disk: a loss of power leaves it whole, or leaves nothing.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield part
        part.chmod(0o755)
        _flush(part)
        try:
            part.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
        _sync(folder.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_whole(path: Path, text: str) -> None:
    """Write a small file; whoever reads it, after a loss of power too, sees what it was before or what it is now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".", delete=False, encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)
    _sync(path.parent)


def write_taxonomy(path: Path, taxonomy: Taxonomy) -> None:
    """A taxonomy as `Taxonomy.from_csv` reads it."""
    labels = sorted({language for shelf in taxonomy for language in shelf.labels})
    themes = sorted({language for shelf in taxonomy for language in shelf.themes})
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ["code", *(_column("label", one) for one in labels), *(_column("theme", one) for one in themes)]
        )
        for shelf in taxonomy:
            texts = [shelf.labels.get(one, "") for one in labels] + [shelf.themes.get(one, "") for one in themes]
            writer.writerow([shelf.code, *texts])


def link_photos(rows: Iterable[SetRow], images: ImageStore, folder: Path) -> list[SetRow]:
    """Put the photos of rows where the loader finds them, as links into the image store.

    Returns:
        The rows whose photo is not in the store.
    """
    missing = []
    for row in rows:
        if row.photo is None or row.image is None:
            continue
        source, target = images.path(row.photo), folder / IMAGES / row.image
        if not source.is_file():
            missing.append(row)
        elif not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(source, target)
            except OSError:  # another disk, or one without links
                shutil.copyfile(source, target)
    return missing


def _flush(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        if path.is_dir() or path.stat().st_nlink == 1:  # a photo with two names is the image store's, which sees to it
            _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _column(name: str, language: str) -> str:
    return f"{name}_{language}" if language else name


def joined(own: Taxonomy, further: Taxonomy | None) -> Taxonomy:
    """The base set's categories, as they are called by now, and those that came after."""
    if further is None:
        return own
    by_code = {shelf.code: shelf for shelf in further}
    new = [shelf for shelf in further if shelf.code not in own]
    return Taxonomy((*(by_code.get(shelf.code, shelf) for shelf in own), *new))
