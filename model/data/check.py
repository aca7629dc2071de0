"""What a data set is made of and what is wrong with it, before a model learns either."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Final

import numpy as np

from model.data.checked import ClassCount, Conflict, DataCheck, FileCheck, Leak, Lengths
from model.data.columns import Columns
from model.data.dataset import category_column, iter_products
from model.data.photo_files import UNUSABLE
from model.data.tally import Tally

SMALL_CLASS: Final = 10
"""A category with fewer rows can hardly be learned and measured."""

_EXAMPLES = 3


def check_files(
    paths: Sequence[Path],
    columns: Columns = Columns(),  # noqa: B008 - frozen
    progress: Callable[[Path, float], None] = lambda _path, _part: None,
) -> DataCheck:
    """Look through data files.

    Args:
        paths: CSV, JSONL or Parquet files or the challenge's folder; several are taken for splits of one set.
        columns: Column names that the user gave.
        progress: Told which part of a file is done, from 0 to 1.

    Raises:
        DataInvalid: A file cannot be used.
        ColumnMissing: A file has none of the columns that are needed.
    """
    tallies = [_tallied(path, columns, progress) for path in paths]
    files = [_file_check(path, tally) for path, tally in zip(paths, tallies, strict=True)]
    leaks = [
        _leak(source, target, tallies[first], tallies[second])
        for (first, source), (second, target) in combinations(enumerate(paths), 2)
    ]
    findings = [finding for file in files for finding in _findings(file)]
    findings += _small_classes(files)
    findings += [
        f"{Path(leak.target).name}: rows with a title of {Path(leak.source).name}: {leak.rows:,} ({leak.share:.1%})"
        for leak in leaks
        if leak.rows
    ]
    return DataCheck(files=files, leaks=leaks, findings=findings)


def _tallied(path: Path, columns: Columns, progress: Callable[[Path, float], None]) -> Tally:
    folder = path if path.is_dir() else path.parent
    tally = Tally(folder, has_category=category_column(path, columns) is not None)
    for row in iter_products(path, columns, problems=tally.problems, progress=lambda part: progress(path, part)):
        tally.add(row)
    tally.guess_languages()
    return tally


def _file_check(path: Path, tally: Tally) -> FileCheck:
    return FileCheck(
        path=str(path),
        rows=tally.rows,
        empty=tally.problems.empty,
        unreadable=tally.problems.broken,
        classes=[ClassCount(category=code, label=label, rows=rows) for code, label, rows in tally.classes()],
        unlabelled=tally.unlabelled,
        missing=dict(tally.missing),
        repeated=tally.repeated,
        same_title=tally.same_title,
        near_title=tally.near_title,
        conflicts=len(tally.conflicts),
        conflicting_rows=sum(conflict.total() for _, conflict in tally.conflicts.values()),
        conflict_examples=[
            Conflict(title=title, categories=dict(categories.most_common()))
            for title, categories in list(tally.conflicts.values())[:_EXAMPLES]
        ],
        languages=tally.languages,
        language_sample=len(tally.sample),
        photos=dict(tally.photos.most_common()),
        photo_examples=tally.photo_examples,
        title_words=_lengths(tally.title_words),
        description_chars=_lengths(tally.description_chars),
    )


def _lengths(values: Sequence[int], bins: int = 24) -> Lengths | None:
    if not values:
        return None
    found = np.asarray(values)
    p5, median, p95 = np.percentile(found, [5, 50, 95])
    # To the 99th percentile: one essay among titles would leave all the others in a single bin.
    end = max(float(np.percentile(found, 99)), 2.0)
    edges = np.unique(np.linspace(0, end, bins + 1).round())
    counts, _ = np.histogram(np.minimum(found, edges[-1]), edges)
    return Lengths(
        median=float(median),
        p5=float(p5),
        p95=float(p95),
        longest=int(found.max()),
        edges=edges.tolist(),
        counts=counts.tolist(),
    )


def _leak(source: Path, target: Path, one: Tally, other: Tally) -> Leak:
    rows = sum(count for key, count in other.titles.items() if key in one.titles)
    near = sum(count for key, count in other.near_titles.items() if key in one.near_titles)
    return Leak(
        source=str(source), target=str(target), rows=rows, near=max(near - rows, 0), share=rows / max(other.rows, 1)
    )


def _findings(file: FileCheck) -> Iterator[str]:
    name = Path(file.path).name
    said: Mapping[str, int] = {
        "rows that cannot be read": file.unreadable,
        "rows without title, description and photo": file.empty,
        "rows without a category": file.unlabelled if file.classes else 0,
        "rows that repeat an earlier one in all parts": file.repeated,
        "rows whose title stands in several categories": file.conflicting_rows,
        **{f"photos {_SAID.get(state, state)}": rows for state, rows in file.photos.items() if state in UNUSABLE},
    }
    for what, rows in said.items():
        if rows:
            yield f"{name}: {what}: {rows:,}"


def _small_classes(files: Sequence[FileCheck]) -> Iterator[str]:
    """Categories with too few rows in all files together, as files are parts of one set."""
    totals: Counter[str] = Counter()
    for file in files:
        totals.update({count.label: count.rows for count in file.classes})
    small = [label for label, rows in totals.items() if rows < SMALL_CLASS]
    if small:
        listed = ", ".join(small[:3]) + (", …" if len(small) > 3 else "")
        yield f"categories with fewer than {SMALL_CLASS} rows: {len(small)} ({listed})"


_SAID = {
    "outside": "that do not lie below the file's folder",
    "elsewhere": "on the web, which are not fetched",
    "not a photo": "that are no JPEG, PNG or WebP",
    "broken": "that are cut off or damaged",
}
