"""Products out of a file: the challenge's own files, or any CSV, JSONL or Parquet with a title."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from model.data.columns import Columns
from model.data.readers import Table, open_table
from model.errors import DataInvalid

CHALLENGE_X: Final = "X_train_update.csv"
CHALLENGE_Y: Final = "Y_train_CVw08PX.csv"
CHALLENGE_CODE: Final = "prdtypecode"
MAX_BROKEN_ROWS: Final = 20
"""More rows than this that cannot be read, and the file is refused: it is not what its name says."""

_REPORT_EVERY = 1_000

Progress = Callable[[float], None]
"""Told now and then which part of the file is read, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class ProductRow:
    """One row: what is blank in the file is None. ``row`` is its number, as a spreadsheet or editor counts."""

    row: int
    id: str
    title: str | None
    description: str | None
    category: str | None = None
    theme: str | None = None
    image: str | None = None


@dataclass(slots=True)
class RowProblems:
    """Rows that were passed over.

    ``empty`` counts those without title, description and image, ``broken`` those that cannot be read.
    ``messages`` has the first of both, each naming file, row and, where there is one, column.
    """

    empty: int = 0
    broken: int = 0
    messages: list[str] = field(default_factory=list)

    def note(self, message: str) -> None:
        """Keep a message while there are few."""
        if len(self.messages) < MAX_BROKEN_ROWS:
            self.messages.append(message)


def iter_products(
    path: Path,
    columns: Columns = Columns(),  # noqa: B008 - frozen
    *,
    problems: RowProblems | None = None,
    progress: Progress | None = None,
) -> Iterator[ProductRow]:
    """The products of a file or of the challenge's folder, in file order, read as they are asked for.

    A row with nothing to classify by is passed over and counted, since one blank line says nothing of the
    others. A row that cannot be read is passed over too, up to ``MAX_BROKEN_ROWS`` of them. A file without a
    category column is fine; an id that the file does not give is ``row-<number>``.

    Args:
        path: A .csv, .tsv, .jsonl, .ndjson or .parquet file, or a folder with the challenge's files. The
            categories of ``X_train_update.csv`` are taken from ``Y_train_CVw08PX.csv`` beside it.
        columns: Column names that the user gave; the others are found by their usual names.
        problems: Filled with what was passed over.
        progress: Told how far the reading is.

    Raises:
        DataInvalid: The file is missing, unreadable, or has too many broken rows.
        ColumnMissing: A column that was named is not there, or none holds a title, description or image.
    """
    problems = RowProblems() if problems is None else problems
    path = _challenge_x(path)
    codes = _challenge_codes(path)
    with open_table(path) as table:
        names = columns.resolve(table.columns, path)
        if codes is not None and columns.category is None:
            names = Columns(names.id, names.title, names.description, "\0category", None, names.image)
        yield from _products(path, table, names, codes, problems, progress)


def category_column(path: Path, columns: Columns = Columns()) -> str | None:  # noqa: B008 - frozen
    """The column that gives the products' categories, or None when there is none."""
    path = _challenge_x(path)
    with open_table(path) as table:
        resolved = columns.resolve(table.columns, path)
    if columns.category is None and _challenge_codes(path) is not None:
        return CHALLENGE_CODE
    return resolved.category


def _products(
    path: Path,
    table: Table,
    names: Columns,
    codes: Mapping[str, str] | None,
    problems: RowProblems,
    progress: Progress | None,
) -> Iterator[ProductRow]:
    for count, (number, values) in enumerate(table.rows):
        if progress is not None and count % _REPORT_EVERY == 0:
            progress(table.done())
        try:
            product = _product(number, _with_code(values, codes), names)
        except ValueError as error:
            problems.broken += 1
            problems.note(f"Row {number} of {path} {error}.")
            if problems.broken > MAX_BROKEN_ROWS:
                raise DataInvalid(
                    f"More than {MAX_BROKEN_ROWS} rows of {path} cannot be read. Row {number} {error}.",
                    hint="Is it the right file, whole, and in the format its name says?",
                ) from None
            continue
        if product.title is None and product.description is None and product.image is None:
            problems.empty += 1
            problems.note(f"Row {number} of {path} has no title, description or image.")
            continue
        yield product
    if progress is not None:
        progress(1.0)


def _with_code(values: Mapping[str, object] | str, codes: Mapping[str, str] | None) -> Mapping[str, object]:
    if isinstance(values, str):
        raise ValueError(values)  # noqa: TRY004 - it is the row that is wrong
    if codes is None:
        return values
    index = str(values.get("", ""))
    if index not in codes:
        raise ValueError(f"has the index {index!r}, which {CHALLENGE_Y} lacks")
    return {**values, "\0category": codes[index]}


def _product(number: int, values: Mapping[str, object], names: Columns) -> ProductRow:
    def text(column: str | None) -> str | None:
        return None if column is None else _text(values.get(column), column)

    identity = text(names.id) or f"row-{number}"
    image = text(names.image)
    if image is not None and names.image == "imageid":  # the challenge's convention for file names
        image = f"image_{image}_product_{identity}.jpg"
    return ProductRow(
        number, identity, text(names.title), text(names.description), text(names.category), text(names.theme), image
    )


def _text(value: object, column: str) -> str | None:
    """A cell as text; a whole float is an integer, as tables with gaps store their codes."""
    if value is None:
        return None
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() else repr(value)
    if not isinstance(value, str | int):
        raise ValueError(f"has a {type(value).__name__} in column {column!r}")  # noqa: TRY004 - it is the row that is wrong
    text = str(value).strip()
    try:
        text.encode()
    except UnicodeEncodeError as error:
        wrong = text[error.start]
        raise ValueError(f"has {wrong!r} in column {column!r}, which is not a character") from None
    return text or None


def _challenge_x(path: Path) -> Path:
    if not path.is_dir():
        return path
    if not (path / CHALLENGE_X).is_file():
        raise DataInvalid(f"The folder {path} has no {CHALLENGE_X}.", hint="Give the file itself.")
    return path / CHALLENGE_X


def _challenge_codes(path: Path) -> dict[str, str] | None:
    """Category codes by index, when the path is the challenge's X file and its Y file lies beside it."""
    answers = path.with_name(CHALLENGE_Y)
    if path.name != CHALLENGE_X or not answers.is_file():
        return None
    with open_table(answers) as table:
        if not {"", CHALLENGE_CODE} <= set(table.columns):
            raise DataInvalid(f"{answers} lacks its unnamed index or the column {CHALLENGE_CODE!r}.")
        return {str(row[""]): str(row[CHALLENGE_CODE]) for _, row in table.rows if not isinstance(row, str)}
