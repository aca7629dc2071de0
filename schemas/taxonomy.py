"""The shelves: codes, their labels by language, and the theme each belongs to."""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Final

from schemas.errors import AisleError
from schemas.prediction import Category

BUILTIN_PATH: Final = Path(__file__).with_name("taxonomy.csv")
_DEFAULT_LANGUAGE = "en"


class TaxonomyInvalid(AisleError):
    """A taxonomy file that cannot be used."""

    code = "taxonomy-invalid"
    exit_status = 2


@dataclass(frozen=True)
class Shelf:
    """One category: its code, and label and theme by language (ISO 639-1; '' where the file names none)."""

    code: str
    labels: Mapping[str, str]
    themes: Mapping[str, str] = field(default_factory=dict)


def slug(label: str) -> str:
    """A stable code for a label: letters without accents, digits and single hyphens, in lower case.

    Labels whose letters have no ASCII form keep their own letters.
    """
    # Folded after the decomposition too, which makes capitals of signs such as the trade mark's.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", label).casefold()).lower()
    bare = "".join(char for char in folded if not unicodedata.combining(char))
    return unicodedata.normalize("NFC", re.sub(r"[\W_]+", "-", bare).strip("-"))


@dataclass(frozen=True)
class Taxonomy:
    """An ordered set of categories, each code once."""

    shelves: tuple[Shelf, ...]

    @classmethod
    def builtin(cls) -> "Taxonomy":
        """The 27 codes of the marketplace challenge."""
        return cls.from_csv(BUILTIN_PATH)

    @classmethod
    def from_csv(cls, path: Path) -> "Taxonomy":
        """Read a CSV with a column ``code``, one ``label`` or ``label_<language>`` at least, and themes if any.

        Raises:
            TaxonomyInvalid: The file is missing, has no such columns, an empty code or label, or a code twice.
        """
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows = list(csv.DictReader(file))
        except FileNotFoundError:
            raise TaxonomyInvalid(f"There is no taxonomy file {path}.", hint="Check the path.") from None
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise TaxonomyInvalid(f"Cannot read the taxonomy {path}: {error}.") from error
        if not rows:
            raise TaxonomyInvalid(f"The taxonomy {path} has no rows.", hint="Give it a row per category.")
        label_columns = _by_language(rows[0], "label")
        if "code" not in rows[0] or not label_columns:
            raise TaxonomyInvalid(
                f"The taxonomy {path} has the columns {', '.join(map(repr, rows[0]))}.",
                hint="It needs 'code' and 'label' or 'label_<language>'.",
            )
        theme_columns = _by_language(rows[0], "theme")
        return cls(tuple(_shelves(path, rows, label_columns, theme_columns)))

    @classmethod
    def from_labels(cls, labels: Iterable[str], themes: Mapping[str, str] | None = None) -> "Taxonomy":
        """Codes made from the labels themselves, in sorted order, for data that has only labels.

        Labels that share a slug are told apart by the start of their SHA-256.
        """
        unique = sorted(set(labels))
        slugs = [slug(label) for label in unique]
        shelves = []
        for label, name in zip(unique, slugs, strict=True):
            alone = name and slugs.count(name) == 1
            code = name if alone else f"{name}-{sha256(label.encode()).hexdigest()[:8]}".strip("-")
            theme = (themes or {}).get(label)
            shelves.append(Shelf(code, {"": label}, {"": theme} if theme else {}))
        return cls(tuple(shelves))

    @cached_property
    def _by_code(self) -> dict[str, Shelf]:
        return {shelf.code: shelf for shelf in self.shelves}

    @cached_property
    def _code_by_label(self) -> dict[str, str]:
        return {label: shelf.code for shelf in self.shelves for label in shelf.labels.values()}

    @cached_property
    def sha256(self) -> str:
        """A hash of codes, labels and themes, in order."""
        content = [(s.code, sorted(s.labels.items()), sorted(s.themes.items())) for s in self.shelves]
        return sha256(repr(content).encode()).hexdigest()

    def __iter__(self) -> Iterator[Shelf]:
        return iter(self.shelves)

    def __len__(self) -> int:
        return len(self.shelves)

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes, in the taxonomy's order."""
        return tuple(shelf.code for shelf in self.shelves)

    def code_of(self, text: str) -> str | None:
        """The code that a text names, be it the code itself or a label in any language."""
        return text if text in self._by_code else self._code_by_label.get(text)

    def category(self, code: str, language: str = _DEFAULT_LANGUAGE) -> Category:
        """What a code stands for, in a language where the taxonomy has it.

        Raises:
            KeyError: The code is not in the taxonomy.
        """
        shelf = self._by_code[code]
        return Category(code=code, label=_pick(shelf.labels, language) or code, theme=_pick(shelf.themes, language))


def _by_language(row: Mapping[str, object], prefix: str) -> dict[str, str]:
    return {
        column.removeprefix(prefix).removeprefix("_"): column
        for column in row
        if column == prefix or (column or "").startswith(prefix + "_")
    }


def _shelves(
    path: Path, rows: list[dict[str, str]], label_columns: dict[str, str], theme_columns: dict[str, str]
) -> Iterator[Shelf]:
    seen: set[str] = set()
    for number, row in enumerate(rows, start=2):
        code = (row["code"] or "").strip()
        labels = _texts(row, label_columns)
        if not code or not labels:
            raise TaxonomyInvalid(f"Row {number} of {path} has no {'label' if code else 'code'}.")
        if code in seen:
            raise TaxonomyInvalid(f"Row {number} of {path} repeats the code {code!r}.", hint="Keep one of them.")
        seen.add(code)
        yield Shelf(code, labels, _texts(row, theme_columns))


def _texts(row: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, str]:
    return {language: text for language, column in columns.items() if (text := (row[column] or "").strip())}


def _pick(texts: Mapping[str, str], language: str) -> str | None:
    return texts.get(language) or texts.get("") or next(iter(texts.values()), None)
