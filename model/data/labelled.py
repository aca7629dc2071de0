"""A data set to learn from: cleaned texts, and the category of each by its code in a taxonomy."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.data.columns import Columns
from model.data.dataset import CHALLENGE_X, CHALLENGE_Y, ProductRow, RowProblems, category_column, iter_products
from model.data.photo_files import find_photo
from model.data.photos import PhotoFiles
from model.data.split import grouped
from model.errors import CategoryUnknown, ColumnMissing, DataInvalid
from model.rows import Rows
from schemas.taxonomy import Taxonomy

MIN_ROWS = 30
"""Fewer rows than this leave nothing to measure with once the test and validation sides are cut off."""

_HASH_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class LabelledData:
    """Rows with a category, in file order.

    Args:
        path: Where they come from.
        sha256: Of the file, or of both of the challenge's files.
        rows: The products.
        codes: Category code of each row.
        keys: Stable key of each row (uint64): the same for rows with the same title, whatever the file's order.
        taxonomy: What the codes mean.
        problems: What was passed over.
    """

    path: Path
    sha256: str
    rows: Rows
    codes: NDArray[np.str_]
    keys: NDArray[np.uint64]
    taxonomy: Taxonomy
    problems: RowProblems

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def groups(self) -> NDArray[np.uint64]:
        """What no split may cut: the keys, one of them for all rows that a title or a photo joins."""
        photos = self.rows.photos
        return grouped(self.keys, photos.contents()) if isinstance(photos, PhotoFiles) else self.keys

    @property
    def titles(self) -> list[str]:
        """Cleaned titles, '' where there is none."""
        return self.rows.titles

    @property
    def descriptions(self) -> list[str]:
        """Cleaned descriptions, '' where there is none."""
        return self.rows.descriptions

    @property
    def classes(self) -> list[str]:
        """Codes that occur, in the taxonomy's order."""
        present = set(self.codes.tolist())
        return [code for code in self.taxonomy.codes if code in present]


def load_labelled(
    path: Path,
    columns: Columns = Columns(),  # noqa: B008 - frozen
    taxonomy: Taxonomy | None = None,
    progress: Callable[[float], None] | None = None,
) -> LabelledData:
    """Read a data set with categories.

    Without a taxonomy, data whose every category is a code of the built-in one uses that; other data makes
    its own, with a code from each label and the theme its rows name first.

    Raises:
        DataInvalid: The file cannot be read, or no row has a text and a category.
        ColumnMissing: It has no category column.
        CategoryUnknown: A taxonomy was given and a row's category is not in it.
    """
    column = category_column(path, columns)
    if column is None:
        raise ColumnMissing(f"{path} has no column that looks like a category.", hint="Name it with --category-column.")
    problems = RowProblems()
    rows = [
        row
        for row in iter_products(path, columns, problems=problems, progress=progress)
        if _usable(row, path, problems)
    ]
    if not rows:
        raise DataInvalid(f"{path} has no row with both a text and a category.", hint="Are its columns the right ones?")
    if taxonomy is None:
        _check_categories({row.category or "" for row in rows}, len(rows), path)
        taxonomy = _taxonomy_of(rows)
    codes = np.array([_code(row, taxonomy, path, column) for row in rows])
    photos = _photos(path, rows, problems)
    products = Rows([row.title or "" for row in rows], [row.description or "" for row in rows], photos)
    texts = zip(products.titles, products.descriptions, (row.image or "" for row in rows), strict=True)
    keys = np.array([row_key(*some) for some in texts], np.uint64)
    return LabelledData(path, data_sha256(path), products, codes, keys, taxonomy, problems)


def check_learnable(data: LabelledData) -> None:
    """Refuse what no classifier can be trained or measured on.

    Raises:
        DataInvalid: Too few rows, a single category, or nearly as many categories as rows.
    """
    classes = len(data.classes)
    if classes < 2:
        raise DataInvalid(
            f"All rows of {data.path} have the category {data.classes[0]!r}; a classifier needs two or more.",
            hint="Is --category-column the right column?",
        )
    if len(data) < MIN_ROWS:
        raise DataInvalid(f"{data.path} has {len(data)} usable rows; training needs {MIN_ROWS} or more.")
    _check_categories(set(data.classes), len(data), data.path)


def row_key(title: str, description: str, image: str = "") -> int:
    """64 bits that name a row by its title, or by its description where it has none (both cleaned), or its photo.

    Rows with the same title share a key, so that a split by keys never has twins on both sides.
    """
    name = title or "\0" + (description or "\0" + image)
    return int.from_bytes(sha256(name.encode("utf-8", "replace")).digest()[:8], "big")


def data_sha256(path: Path) -> str:
    """SHA-256 of a data file's bytes; of both files, one after the other, for the challenge's."""
    path = path / CHALLENGE_X if path.is_dir() else path
    files = [path]
    if path.name == CHALLENGE_X and (answers := path.with_name(CHALLENGE_Y)).is_file():
        files.append(answers)
    digest = sha256()
    for name in files:
        with name.open("rb") as file:
            while chunk := file.read(_HASH_CHUNK_BYTES):
                digest.update(chunk)
    return digest.hexdigest()


def _photos(path: Path, rows: list[ProductRow], problems: RowProblems) -> PhotoFiles | tuple[()]:
    """The photos that rows name, below the data file's folder; nothing where no row has one."""
    folder = path if path.is_dir() else path.parent
    found = [find_photo(folder, row.image) for row in rows]
    for row, place in zip(rows, found, strict=True):
        if isinstance(place, str) and place != "none":
            problems.note(f"Row {row.row} of {path} names the photo {row.image!r}, which is {place}.")
    paths = [place if isinstance(place, Path) else None for place in found]
    return PhotoFiles(paths) if any(paths) else ()


def _usable(row: ProductRow, path: Path, problems: RowProblems) -> bool:
    if row.category is None:
        what = "category"
    elif row.title is None and row.description is None and row.image is None:
        what = "title, description or photo"
    else:
        return True
    problems.empty += 1
    problems.note(f"Row {row.row} of {path} has no {what}.")
    return False


def _check_categories(categories: set[str], rows: int, path: Path) -> None:
    if len(categories) > max(rows // 2, 2):
        raise DataInvalid(
            f"{path} has {len(categories)} categories in {rows} rows: that column looks like ids or free text.",
            hint="Name the right one with --category-column.",
        )


def _taxonomy_of(rows: list[ProductRow]) -> Taxonomy:
    builtin = Taxonomy.builtin()
    labels = [row.category for row in rows if row.category is not None]
    if all(label in builtin for label in set(labels)):
        return builtin
    themes: dict[str, Counter[str]] = {}
    for row in rows:
        if row.category is not None and row.theme is not None:
            themes.setdefault(row.category, Counter())[row.theme] += 1
    return Taxonomy.from_labels(labels, {label: found.most_common(1)[0][0] for label, found in themes.items()})


def _code(row: ProductRow, taxonomy: Taxonomy, path: Path, column: str) -> str:
    code = taxonomy.code_of(row.category or "")
    if code is None:
        raise CategoryUnknown(
            f"Row {row.row} of {path} has {row.category!r} in column {column!r}, which is not in the taxonomy.",
            hint="Add it to the taxonomy, or correct the row.",
        )
    return code
