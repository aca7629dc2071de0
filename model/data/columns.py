"""Which column of a data set is which: by the user's word, else by the names people give them."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from model.errors import ColumnMissing

SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    "id": ("id", "product_id", "productid", "sku", "ean", "gtin", "barcode", "code"),
    "title": (
        *("title", "designation", "product_name", "product_title", "name", "item_name"),
        *("titre", "nom", "nom_produit", "libelle", "intitule"),
    ),
    "description": (
        *("description", "product_description", "desc", "details", "body"),
        *("ingredients_text", "ingredients", "descriptif", "texte"),
    ),
    "category": (
        *("prdtypecode", "category_code", "category", "product_category", "categorie"),
        *("class", "label", "target", "code"),
    ),
    "theme": ("theme", "department", "rayon"),
    "image": ("image", "image_uri", "image_url", "image_path", "imageid"),
}
"""Names in lower case without accents, likeliest first. ``code`` is the category when nothing else is."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Column names: as options, those the user gave; resolved, those the file has (None: it has none)."""

    id: str | None = None
    title: str | None = None
    description: str | None = None
    category: str | None = None
    theme: str | None = None
    image: str | None = None

    def resolve(self, available: Sequence[str], path: Path) -> "Columns":
        """The columns of one file: those named here, the others by their synonyms.

        Raises:
            ColumnMissing: A named column is not in the file, or it has nothing to classify by: neither a
                title nor a description nor an image.
        """
        found: dict[str, str] = {}
        for role in ("category", "theme", "title", "description", "image", "id"):  # the category first: ``code``
            given = getattr(self, role)
            if given is not None and given not in available:
                raise ColumnMissing(f"{path} has no column {given!r}.", hint=f"It has: {_listed(available)}.")
            name = given or _by_synonym(role, [column for column in available if column not in found.values()])
            if name is not None:
                found[role] = name
        if not found.keys() & {"title", "description", "image"}:
            raise ColumnMissing(
                f"{path} has no column that looks like a title; it has: {_listed(available)}.",
                hint="Name it with --title-column.",
            )
        return Columns(**found)

    def names(self) -> list[str]:
        """The columns that are there, without repeats."""
        return list(dict.fromkeys(name for f in fields(self) if (name := getattr(self, f.name)) is not None))


def _by_synonym(role: str, available: Sequence[str]) -> str | None:
    plain = {_plain(column): column for column in reversed(available)}
    return next((plain[name] for name in SYNONYMS[role] if name in plain), None)


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[^a-z0-9]+", "_", "".join(c for c in folded if not unicodedata.combining(c))).strip("_")


def _listed(names: Sequence[str], most: int = 20) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
