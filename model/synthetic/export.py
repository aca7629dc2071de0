"""The synthetic catalogue as a data file, its photos in a folder beside it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model.data.writers import check_new, check_suffix, table_writer
from model.synthetic.catalogue import Catalogue

COLUMNS: Final = ("id", "title", "description", "category", "language")

_REPORT_EVERY = 100
_PHOTOS_A_FOLDER = 1_000


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: rows, those with a photo, and the photos' folder (None: without photos)."""

    rows: int
    photos: int
    photo_folder: Path | None


def write_catalogue(
    catalogue: Catalogue,
    path: Path,
    rows: int,
    *,
    force: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Exported:
    """Write the first rows of a catalogue, one at a time.

    The photos of `shop.csv` lie in `shop_photos/`, and its column `image` names each relative to the file.

    Args:
        catalogue: What to write.
        path: A .csv, .tsv, .jsonl, .ndjson or .parquet file.
        rows: How many.
        force: Replace what is there.
        progress: Told how many rows are done.

    Raises:
        DataInvalid: The suffix is another, or the file or the folder exists and `force` is not set.
    """
    check_suffix(path)
    folder = path.with_name(f"{path.stem}_photos") if catalogue.photos else None
    check_new([path, folder] if folder else [path], force=force)
    photos = 0
    with table_writer(path, (*COLUMNS, "image") if folder else COLUMNS) as write:
        for number, product in enumerate(catalogue.rows(rows)):
            row = {column: getattr(product, column) for column in COLUMNS}
            if folder is not None:
                row["image"] = None
                if product.photo is not None:
                    photo = folder / f"{number // _PHOTOS_A_FOLDER:03}" / f"{product.id}.jpg"
                    photo.parent.mkdir(parents=True, exist_ok=True)
                    photo.write_bytes(product.photo)
                    row["image"] = photo.relative_to(path.parent).as_posix()
                    photos += 1
            write(row)
            if number % _REPORT_EVERY == 0:
                progress(number)
    progress(rows)
    return Exported(rows, photos, folder)
