"""Writing a training set's folder."""

from collections.abc import Sequence
from pathlib import Path

from infra.images import ImageStore
from schemas.taxonomy import Shelf, Taxonomy
from workers.retrain.set_errors import SetChanged
from workers.retrain.set_files import MANIFEST, in_one_step, link_photos, write_taxonomy
from workers.retrain.set_manifest import SetManifest
from workers.retrain.set_rows import IMAGES, ROWS, TAXONOMY, SetRow, write_rows


def write_set(folder: Path, rows: Sequence[SetRow], manifest: SetManifest, images: ImageStore, *, strict: bool) -> None:
    """Write a set; of one whose folder is there what it lacks.

    Args:
        folder: The set's.
        rows: All of them.
        manifest: What it is made of.
        images: Where photos are.
        strict: Whether every photo has to be there.

    Raises:
        SetChanged: A photo is gone that has to be there.
        OSError: The disk is full or not writable.
    """
    shelves = tuple(Shelf(one.code, one.labels, one.themes) for one in manifest.taxonomy)
    with in_one_step(folder) as part:
        if (missing := link_photos(rows, images, part)) and strict:
            raise SetChanged(f"Photos are gone from the image store: {len(missing):,}, such as {missing[0].photo}.")
        write_taxonomy(part / TAXONOMY, Taxonomy(shelves))
        write_rows(part / ROWS, rows)
        (part / MANIFEST).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
        for name in (IMAGES, TAXONOMY, ROWS):  # the rows last: a set that has them is whole
            if folder.is_dir() and (part / name).exists() and not (folder / name).exists():
                (part / name).rename(folder / name)
