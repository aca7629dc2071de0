"""What a check of data files found, in numbers."""

from pydantic import BaseModel


class Lengths(BaseModel):
    """How long texts are, those that are there.

    Args:
        median: Of all.
        p5: Exceeded by 95 % of them.
        p95: Exceeded by 5 % of them.
        longest: The longest.
        edges: Of the histogram's bins, one more than there are bins; what is longer than the last counts in the last.
        counts: Texts in each bin.
    """

    median: float
    p5: float
    p95: float
    longest: int
    edges: list[float]
    counts: list[int]


class ClassCount(BaseModel):
    """Rows of a category."""

    category: str
    label: str
    rows: int


class Conflict(BaseModel):
    """A title that stands in several categories."""

    title: str
    categories: dict[str, int]


class FileCheck(BaseModel):
    """One file.

    Args:
        path: The file.
        rows: Rows with something to classify by.
        empty: Rows with nothing.
        unreadable: Rows that cannot be read.
        classes: Rows of each category, the most frequent first; empty where there is no such column.
        unlabelled: Rows without a category.
        missing: Rows without title, description or image.
        repeated: Rows that say in all parts what an earlier row says.
        same_title: Rows whose cleaned title another row has.
        near_title: Rows beyond those, whose title has the same words as another: other order, numbers or signs.
        conflicts: Titles that stand in several categories.
        conflicting_rows: Rows with such a title.
        conflict_examples: The first of them.
        languages: Share of the sampled rows by language, the most frequent first.
        language_sample: Rows whose language was guessed.
        photos: Rows by what became of their photo (`photo_files.PhotoState`); empty where there is no such column.
        photo_examples: The first that cannot be used, each with its state.
        title_words: Words of a title.
        description_chars: Characters of a cleaned description.
    """

    path: str
    rows: int
    empty: int
    unreadable: int
    classes: list[ClassCount]
    unlabelled: int
    missing: dict[str, int]
    repeated: int
    same_title: int
    near_title: int
    conflicts: int
    conflicting_rows: int
    conflict_examples: list[Conflict]
    languages: dict[str, float]
    language_sample: int
    photos: dict[str, int]
    photo_examples: dict[str, str]
    title_words: Lengths | None
    description_chars: Lengths | None


class Leak(BaseModel):
    """Rows of one file whose title another has: what a model learns there it need not know here.

    Args:
        source: The file that comes first.
        target: The other.
        rows: Rows of the target with a title of the source.
        near: Rows of the target beyond those, whose title has the same words.
        share: `rows` as a part of the target's.
    """

    source: str
    target: str
    rows: int
    near: int
    share: float


class DataCheck(BaseModel):
    """Some files, the leaks between each two of them, and what to look at, a sentence each."""

    files: list[FileCheck]
    leaks: list[Leak]
    findings: list[str]
