"""The base set: the rows that the first model was trained on, kept so that later ones learn from them again.

It is kept by its content, apart from the user's file, which may change or go. A pointer says which base a model was
trained on; one that was trained by retraining has that of its training set.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from infra.images import ImageStore
from model.bundle import HELD_KEYS, read_manifest
from model.data.columns import Columns
from model.data.dataset import ProductRow, iter_products
from model.data.labelled import LabelledData, data_sha256
from model.data.photo_files import find_photo
from model.errors import DataInvalid
from schemas.errors import AisleError
from schemas.taxonomy import Taxonomy
from workers.retrain.set_errors import BaseDamaged, BaseMissing, SetUnknown
from workers.retrain.set_files import MANIFEST, in_one_step, link_photos, write_taxonomy, write_whole
from workers.retrain.set_manifest import read_set_manifest, set_folders
from workers.retrain.set_rows import ROWS, TAXONOMY, SetRow, read_rows, write_rows

_POINTERS: Final = "of"
_PREFIX: Final = "base-"
_HASH_CHARS: Final = 16


class BaseManifest(BaseModel):
    """What a base set says of itself."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    file: str
    """Name of the user's file, without its folder."""
    file_sha256: str
    data_sha256: str
    """Of the rows as they are kept."""
    taxonomy_sha256: str
    taxonomy_file_sha256: str | None = None
    """None of one that was kept before this was noted: then it is not checked."""
    rows: int
    golden: int
    photos: int


@dataclass(frozen=True)
class BaseSet:
    """A base set on disk. What is read of it is what was written, or raises BaseDamaged."""

    folder: Path

    @property
    def version(self) -> str:
        """Its name, by its content."""
        return self.folder.name

    @cached_property
    def manifest(self) -> BaseManifest:
        """What it says of itself."""
        try:
            return BaseManifest.model_validate_json((self.folder / MANIFEST).read_bytes())
        except (FileNotFoundError, ValidationError) as error:
            raise self._damaged(MANIFEST) from error

    @cached_property
    def taxonomy(self) -> Taxonomy:
        """The categories of its rows, and others that it could have had."""
        return Taxonomy.from_csv(self._checked(TAXONOMY, self.manifest.taxonomy_file_sha256))

    @cached_property
    def rows(self) -> list[SetRow]:
        """Its rows, in the order of the user's file."""
        return list(read_rows(self._checked(ROWS, self.manifest.data_sha256)))

    @property
    def is_whole(self) -> bool:
        """Whether all that it says is as it was written."""
        try:
            return len(self.rows) == self.manifest.rows and len(self.taxonomy) > 0
        except AisleError:
            return False

    def _checked(self, name: str, expected: str | None) -> Path:
        path = self.folder / name
        if not path.is_file() or (expected is not None and data_sha256(path) != expected):
            raise self._damaged(name)
        return path

    def _damaged(self, name: str) -> BaseDamaged:
        return BaseDamaged(
            f"The file {name} of the base set {self.version} is not what was written.",
            hint="`aisle train DATA` with the same data writes it again.",
        )


def keep_base(
    path: Path, columns: Columns, data: LabelledData, bundle: Path, sets: Path, images: ImageStore
) -> BaseSet:
    """Keep what a model was trained on. Rows that it was measured by are the golden set: they never teach.

    Args:
        path: The user's file, or the challenge's folder.
        columns: As it was read.
        data: What was read of it.
        bundle: The model.
        sets: The folder of sets.
        images: Where the photos are kept, by their SHA-256.

    Raises:
        DataInvalid: The file is another than the one that was read.
        OSError: The disk is full or not writable.
    """
    if data_sha256(path) != data.sha256:
        raise DataInvalid(f"{path} changed while the model was trained on it.", hint="Train again.")
    found = [row for row in iter_products(path, columns) if row.category is not None]
    golden = np.isin(data.keys, np.load(bundle / HELD_KEYS, allow_pickle=False))
    folder = path if path.is_dir() else path.parent
    rows = [
        _row(row, code, _kept(folder, row, images), golden=held)
        for row, code, held in zip(found, data.codes.tolist(), golden.tolist(), strict=True)
    ]
    if any(row.photo for row in rows):
        os.sync()  # once for all photos: a flush of each would take minutes
    base = _write(rows, data, sets, images)
    write_whole(sets / _POINTERS / bundle.name, base.version)
    return base


def base_of(bundle: Path, sets: Path) -> BaseSet:
    """The base set that a model goes back to.

    Raises:
        BaseMissing: Nobody kept it, or it was not kept here.
    """
    pointer = sets / _POINTERS / bundle.name
    if pointer.is_file():
        return open_base(sets, pointer.read_text(encoding="utf-8").strip())
    data = read_manifest(bundle).data.sha256
    for folder in set_folders(sets):
        with suppress(SetUnknown):  # one that is damaged is no reason to look no further
            manifest = read_set_manifest(folder)
            if manifest.data_sha256 == data:
                return open_base(sets, manifest.base)
    raise BaseMissing(
        f"Nobody kept what the model {bundle.name} was trained on.",
        hint="Train it again with `aisle train DATA`, which keeps it.",
    )


def open_base(sets: Path, version: str) -> BaseSet:
    """A base set by its version.

    Raises:
        BaseMissing: It is not there.
    """
    base = BaseSet(sets / version)
    if not (base.folder / MANIFEST).is_file():
        raise BaseMissing(f"The base set {version} is gone from {sets}.", hint="Train again with `aisle train DATA`.")
    return base


def _write(rows: list[SetRow], data: LabelledData, sets: Path, images: ImageStore) -> BaseSet:
    digest = sha256()
    for part in _parts(rows, data.taxonomy):
        digest.update(part)
    base = BaseSet(sets / (_PREFIX + digest.hexdigest()[:_HASH_CHARS]))
    if base.is_whole:
        return base
    shutil.rmtree(base.folder, ignore_errors=True)  # what is left of one that was damaged
    base = BaseSet(base.folder)  # which has read nothing yet
    with in_one_step(base.folder) as folder:
        written = write_rows(folder / ROWS, rows)
        write_taxonomy(folder / TAXONOMY, data.taxonomy)
        link_photos(rows, images, folder)
        manifest = BaseManifest(
            file=data.path.name,
            file_sha256=data.sha256,
            data_sha256=written,
            taxonomy_sha256=data.taxonomy.sha256,
            taxonomy_file_sha256=data_sha256(folder / TAXONOMY),
            rows=len(rows),
            golden=sum(row.side == "golden" for row in rows),
            photos=sum(row.photo is not None for row in rows),
        )
        (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
    return base


def _parts(rows: list[SetRow], taxonomy: Taxonomy) -> Iterator[bytes]:
    yield taxonomy.sha256.encode()
    for row in rows:
        yield row.line


def _row(row: ProductRow, code: str, photo: str | None, *, golden: bool) -> SetRow:
    # A name without a photo stays: of a row without texts it is what its key is made from.
    return SetRow(row.title, row.description, code, row.image, photo, "golden" if golden else "base")


def _kept(folder: Path, row: ProductRow, images: ImageStore) -> str | None:
    """SHA-256 of a row's photo, which is in the image store from now on; None where it has none."""
    place = find_photo(folder, row.image)
    if not isinstance(place, Path):
        return None
    content = place.read_bytes()
    digest = sha256(content).hexdigest()
    images.put(digest, content, flush=False)
    return digest
