"""The categories that people may name: those of the taxonomy that is set, else of the model in service."""

import asyncio
from functools import lru_cache
from pathlib import Path

from schemas.http.taxonomy import TaxonomyView, ThemeShelves
from schemas.taxonomy import Taxonomy
from workers.gateway.errors import NotReady
from workers.gateway.operation.decisions import manifest_of
from workers.gateway.parts import Parts


async def taxonomy_in_force(parts: Parts) -> tuple[Taxonomy, str | None]:
    """The taxonomy, and the version of the model that it is of; None: it is set.

    Raises:
        NotReady: None is set, and the model in service is none, or not on this machine.
        TaxonomyInvalid: The file that is set cannot be used.
    """
    path = parts.settings.taxonomy
    if path is not None:
        return await asyncio.to_thread(_read, path), None
    bundle = await parts.operation.decisions.in_service()
    if bundle is None or not bundle.is_dir():
        raise NotReady("No model is in service here.", hint="Train one with `aisle train DATA`.")
    manifest = await asyncio.to_thread(manifest_of, bundle)
    return manifest.taxonomy, manifest.version


def view(taxonomy: Taxonomy, language: str, version: str | None) -> TaxonomyView:
    """A taxonomy in a language."""
    categories = [taxonomy.category(code, language) for code in taxonomy.codes]
    themes: dict[str | None, list[str]] = {}
    for category in categories:
        themes.setdefault(category.theme, []).append(category.code)
    return TaxonomyView(
        sha256=taxonomy.sha256,
        language=language,
        languages=sorted({name for shelf in taxonomy for name in shelf.labels if name}),
        model_version=version,
        categories=categories,
        themes=[ThemeShelves(theme=theme, codes=codes) for theme, codes in themes.items()],
    )


def _read(path: Path) -> Taxonomy:
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        stamp = 0
    return _taxonomy(path, stamp)


@lru_cache(maxsize=1)
def _taxonomy(path: Path, _stamp: int) -> Taxonomy:
    return Taxonomy.from_csv(path)
