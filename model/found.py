"""The bundles of a folder: which there are, what is known of each, and which one is meant."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from model.bundle import MANIFEST, Manifest, manifest_sha256, read_manifest
from model.errors import BundleInvalid, ModelUnknown
from schemas.model_event import ModelEvent

_LONG: Final = {"files", "golden", "categories", "prior", "pools"}


def bundles(models_dir: Path) -> list[Path]:
    """The bundles in a folder, the newest version first."""
    return sorted((path.parent for path in models_dir.glob(f"[!.]*/{MANIFEST}")), key=lambda path: path.name)[::-1]


def bundle_of(models_dir: Path, version: str, aliases: Mapping[str, ModelEvent | None] | None = None) -> Path:
    """The bundle whose version begins so, or that of an alias.

    Args:
        models_dir: Where bundles are.
        version: The beginning of a version, or an alias.
        aliases: What is decided, by alias; None: aliases mean nothing.

    Raises:
        ModelUnknown: No bundle's does, or more than one.
    """
    if (event := (aliases or {}).get(version)) is not None:
        version = event.model.version
    there = {path.name: path for path in bundles(models_dir)}
    found = [version] if version in there else [name for name in there if name.startswith(version)]
    if len(found) != 1:
        what = (
            "More than one model's version begins" if found else f"No model in {models_dir} has a version that begins"
        )
        raise ModelUnknown(f"{what} with {version!r}.", hint="`aisle models list` shows them.")
    return there[found[0]]


def as_rows(
    models_dir: Path, champion: ModelEvent | None, challenger: ModelEvent | None = None
) -> list[dict[str, Any]]:
    """What is known of each bundle; of one that cannot be read, why."""
    rows = []
    for bundle in bundles(models_dir):
        tried = challenger is not None and bundle.name == challenger.model.version
        row: dict[str, Any] = {"version": bundle.name, "state": _state(bundle.name, champion), "challenger": tried}
        try:
            manifest = read_manifest(bundle)
        except BundleInvalid as error:
            rows.append(row | {"broken": error.message})
            continue
        row |= {"name": manifest.name, "made": manifest.created_at, "rows": manifest.data.rows}
        rows.append(row | {"metrics": manifest.metrics})
    return rows


def facts(
    bundle: Path, manifest: Manifest, champion: ModelEvent | None, made: Mapping[str, ModelEvent]
) -> dict[str, Any]:
    """All that is known of one model."""
    event = champion if _state(bundle.name, champion) == "champion" else made.get(bundle.name)
    return {
        "state": _state(bundle.name, champion),
        "bundle": bundle,
        "sha256": manifest_sha256(bundle),
        "categories": len(manifest.categories),
        "bytes": sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file()),
        "decision": event and event.model_dump(mode="json"),
        **manifest.model_dump(mode="json", exclude=_LONG),
    }


def _state(version: str, champion: ModelEvent | None) -> str:
    if champion is None:
        return ""
    if version == champion.model.version:
        return "champion"
    return "previous" if version == champion.previous else ""
