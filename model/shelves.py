"""Which categories people may name: those of a taxonomy that was set, else those of the model in service."""

import logging
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol

from model.bundle import Manifest, read_manifest
from model.champion import POINTER, find_bundle
from model.errors import BundleInvalid, CodeUnknown, NoChampion
from schemas.prediction import Category
from schemas.taxonomy import Taxonomy

logger = logging.getLogger(__name__)


class ShelfSettings(Protocol):
    """What is read of the settings: the taxonomy that is set, the model, and the language of labels."""

    @property
    def taxonomy(self) -> Path | None:
        """A CSV of categories; None: the model's."""

    @property
    def model(self) -> Path | None:
        """A bundle in place of the champion."""

    @property
    def data_dir(self) -> Path:
        """Where the champion is."""

    @property
    def language(self) -> str:
        """Of labels, where the taxonomy has it."""


class TaxonomyInForce:
    """The taxonomy that verdicts are held to; follows the champion where none is set.

    Args:
        settings: What is in force.

    Raises:
        TaxonomyInvalid: The file that is set cannot be used.
    """

    def __init__(self, settings: ShelfSettings) -> None:
        self._set = None if settings.taxonomy is None else Taxonomy.from_csv(settings.taxonomy)
        self._model, self._models_dir = settings.model, settings.data_dir / "models"
        self._language = settings.language
        self._seen: tuple[int, int] | None = (0, 0)  # no file's
        self._champions: Taxonomy | None = None

    def now(self) -> Taxonomy | None:
        """The taxonomy; None where none is set and there is no model here, so that any code is taken."""
        if self._set is not None:
            return self._set
        if (stamp := _stamp(self._model or self._models_dir / POINTER)) != self._seen:
            self._seen, self._champions = stamp, self._read()
        return self._champions

    def category(self, code: str) -> Category:
        """What a code stands for; by the code alone where the taxonomy, by now, has it no more."""
        taxonomy = self.now()
        if taxonomy is None or code not in taxonomy:
            return Category(code=code, label=code)
        return taxonomy.category(code, self._language)

    def _read(self) -> Taxonomy | None:
        try:
            return read_manifest(find_bundle(self._model, self._models_dir)).taxonomy
        except (NoChampion, BundleInvalid) as error:
            logger.warning("no taxonomy to hold verdicts to, any code is taken: %s", error.message)
            return None


def shelves_of(settings: ShelfSettings, manifest: Manifest) -> dict[str, Category]:
    """What the codes stand for that a worker may answer with: the model's, and those of the taxonomy that is set.

    Raises:
        TaxonomyInvalid: The file that is set cannot be used.
    """
    shelves = {entry.code: entry.category(settings.language) for entry in manifest.categories}
    if settings.taxonomy is not None:
        taxonomy = Taxonomy.from_csv(settings.taxonomy)
        shelves |= {code: taxonomy.category(code, settings.language) for code in taxonomy.codes}
    return shelves


def check_code(code: str | None, taxonomy: Taxonomy | None) -> None:
    """Refuse a code that the taxonomy does not have; without a taxonomy any is taken.

    Raises:
        CodeUnknown: There is no such category.
    """
    if code is None or taxonomy is None or code in taxonomy:
        return
    near = get_close_matches(code, taxonomy.codes, n=1)
    raise CodeUnknown(
        f"{code!r} is none of the {len(taxonomy)} codes of the taxonomy.",
        hint=f"Do you mean {near[0]}?" if near else "",
    )


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes when the file does; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino
