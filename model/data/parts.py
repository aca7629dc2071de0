"""A data file cut into parts: to train, to validate, to test, and one that nobody has seen, to play a stream with."""

import os
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.data.cleaning import clean_description, clean_title
from model.data.columns import Columns
from model.data.dataset import CHALLENGE_CODE, CHALLENGE_X, Progress, RowProblems, category_column, iter_products
from model.data.labelled import row_key
from model.data.photo_files import find_photo
from model.data.photos import PhotoFiles
from model.data.readers import open_table
from model.data.split import grouped, split_rows
from model.data.writers import check_new, table_writer
from model.errors import DataInvalid

PARTS: Final = ("train", "validation", "test", "unseen")

_MOST_CUT_OFF = 0.9


@dataclass(frozen=True, slots=True)
class PartOptions:
    """How a file is cut.

    Args:
        validation: Part of each category to validate with; what no part takes is for training.
        test: Part of each category to test with.
        unseen: Part of each category to play a stream with.
        seed: Of the shuffle.
    """

    validation: float = 0.1
    test: float = 0.15
    unseen: float = 0.1
    seed: int = 0


@dataclass(frozen=True)
class Parts:
    """What was written.

    Args:
        files: File of each part.
        rows: Rows of each part by category; '' counts those without one.
        photos: Photos that were put beside them.
        problems: What was passed over.
    """

    files: dict[str, Path]
    rows: dict[str, Counter[str]]
    photos: int
    problems: RowProblems


@dataclass(slots=True)
class _Found:
    """The rows of a file, by their number: which part each goes to needs no more than this."""

    numbers: list[int] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    photos: dict[int, Path] = field(default_factory=dict)


def split_file(
    path: Path,
    out: Path,
    *,
    options: PartOptions = PartOptions(),
    columns: Columns = Columns(),  # noqa: B008 - frozen
    force: bool = False,
    progress: Progress = lambda _: None,
) -> Parts:
    """Cut a data file into four of the same kind with the same columns.

    Rows with the same title or the same photo go to one part, and each category has its share in every part, as
    :func:`model.data.split.split_rows` has it. Rows without a category are shared out like one of their own.
    Photos below the file's folder are linked into `out` (copied where links do not work), so that each part
    finds its own below its folder. The challenge's files become one, with the codes in ``prdtypecode``.

    Args:
        path: A CSV, JSONL or Parquet file, or the challenge's folder.
        out: The folder for the parts.
        options: How large they are.
        columns: Column names that the user gave.
        force: Replace parts that are there.
        progress: Told which part of the work is done, from 0 to 1.

    Raises:
        DataInvalid: The file cannot be used, the parts leave nothing to train with, or one exists.
    """
    if options.validation + options.test + options.unseen > _MOST_CUT_OFF:
        raise DataInvalid(
            f"The parts leave less than {1 - _MOST_CUT_OFF:.0%} of the rows to train with.", hint="Make them smaller."
        )
    source = path / CHALLENGE_X if path.is_dir() else path
    files = {part: out / f"{part}{source.suffix.lower()}" for part in PARTS}
    check_new(list(files.values()), force=force)
    if source.resolve() in {file.resolve() for file in files.values()}:
        raise DataInvalid(f"{source} would be replaced by a part of itself.", hint="Give another --out.")
    problems = RowProblems()
    found = _read(path, columns, problems, lambda part: progress(part / 2))
    if not found.numbers:
        raise DataInvalid(f"{path} has no row that can be used.", hint="Are its columns the right ones?")
    photos = PhotoFiles([found.photos.get(number) for number in found.numbers])
    groups = grouped(np.array(found.keys, np.uint64), photos.contents())
    sides = _sides(np.array(found.codes), groups, options)
    side_of = dict(zip(found.numbers, zip(sides, found.codes, strict=True), strict=True))
    joined = category_column(path, columns) == CHALLENGE_CODE
    rows = _write(source, files, side_of, joined=joined, progress=lambda part: progress((1 + part) / 2))
    linked = _link_photos(found.photos.values(), source.parent, out)
    return Parts(files, rows, linked, problems)


def _read(path: Path, columns: Columns, problems: RowProblems, progress: Progress) -> _Found:
    found = _Found()
    folder = path if path.is_dir() else path.parent
    for row in iter_products(path, columns, problems=problems, progress=progress):
        texts = clean_title(row.title), clean_description(row.description) or (row.image or "")
        found.numbers.append(row.row)
        found.codes.append(row.category or "")
        found.keys.append(row_key(*texts))
        if isinstance(photo := find_photo(folder, row.image), Path):
            found.photos[row.row] = photo
    return found


def _sides(codes: NDArray[np.str_], keys: NDArray[np.uint64], options: PartOptions) -> list[str]:
    """The part of each row: a split with three sides, whose training side is split once more."""
    first = split_rows(codes, keys, seed=options.seed, test_share=options.unseen, validation_share=options.test)
    own = first.train
    share = options.validation / (1 - options.unseen - options.test)
    second = split_rows(codes[own], keys[own], seed=options.seed, test_share=0.0, validation_share=share)
    side = np.full(len(codes), "train", dtype="<U10")
    side[first.test] = "unseen"
    side[first.validation] = "test"
    side[own[second.validation]] = "validation"
    return [str(name) for name in side]


def _write(
    source: Path,
    files: Mapping[str, Path],
    side_of: Mapping[int, tuple[str, str]],
    *,
    joined: bool,
    progress: Progress,
) -> dict[str, Counter[str]]:
    rows: dict[str, Counter[str]] = {part: Counter() for part in files}
    with ExitStack() as stack:
        table = stack.enter_context(open_table(source))
        added = [CHALLENGE_CODE] if joined and CHALLENGE_CODE not in table.columns else []
        schema = _parquet_schema(source)
        writers = {
            part: stack.enter_context(table_writer(file, [*table.columns, *added], schema))
            for part, file in files.items()
        }
        for count, (number, values) in enumerate(table.rows):
            if number not in side_of or isinstance(values, str):
                continue
            part, code = side_of[number]
            writers[part]({**values, **dict.fromkeys(added, code)})
            rows[part][code] += 1
            if count % 1_000 == 0:
                progress(table.done())
    return rows


def _parquet_schema(source: Path) -> Any:
    if source.suffix.lower() != ".parquet":
        return None
    import pyarrow.parquet as pq

    return pq.read_schema(source)


def _link_photos(photos: Iterable[Path], folder: Path, out: Path) -> int:
    """Put photos below `out` where they lay below `folder`; how many are there now."""
    root = folder.resolve()
    if out.resolve() == root:
        return 0
    placed = {}
    for photo in photos:
        target = out / photo.relative_to(root)
        placed[target] = photo
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(photo, target)
        except OSError:  # another disk, or one without links
            shutil.copyfile(photo, target)
    return len(placed)
