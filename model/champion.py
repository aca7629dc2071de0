"""The champion: which bundle is in service, as a pointer file that is replaced in one step."""

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from model.bundle import MANIFEST, manifest_sha256, verify
from model.errors import BundleInvalid, NoChampion
from schemas.model_event import ModelEvent

POINTER = "champion.json"


def read_champion(models_dir: Path) -> ModelEvent | None:
    """The decision in force, or None when there never was one.

    Raises:
        BundleInvalid: The pointer file is there and cannot be read.
    """
    pointer = models_dir / POINTER
    try:
        return ModelEvent.model_validate_json(pointer.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise BundleInvalid(f"{pointer} is not a champion's record.", hint="Remove it, then train again.") from error


def promote(models_dir: Path, bundle: Path, *, by: str, why: str) -> ModelEvent:
    """Make a bundle the champion.

    Args:
        models_dir: Where bundles live.
        bundle: The bundle, which is verified first.
        by: Who or what decided.
        why: The reason, for the record.

    Raises:
        BundleInvalid: It is no bundle, or a file of it is missing or changed.
    """
    manifest = verify(bundle)
    before = read_champion(models_dir)
    event = ModelEvent(
        model=manifest.ref,
        bundle_uri=bundle.resolve().as_uri(),
        sha256=manifest_sha256(bundle),
        taxonomy_sha256=manifest.taxonomy_sha256,
        previous=before.model.version if before else None,
        sequence=before.sequence + 1 if before else 1,
        by=by,
        why=why,
        at=datetime.now(UTC),
        metrics=manifest.metrics,
    )
    _replace(models_dir / POINTER, event.model_dump_json(indent=1).encode())
    return event


def find_bundle(model: Path | None, models_dir: Path) -> Path:
    """The bundle to serve: the one that was named, else the champion's.

    The champion is looked up by its version below ``models_dir`` first, so that a data directory may be
    moved, and by its recorded place otherwise.

    Raises:
        NoChampion: None was named, and there is no champion or its bundle is gone.
        BundleInvalid: The champion's manifest is not the one that was promoted.
    """
    if model is not None:
        return model
    event = read_champion(models_dir)
    if event is None:
        raise NoChampion(f"There is no model in {models_dir}.", hint="Run `aisle train DATA`, or `aisle demo`.")
    beside = models_dir / event.model.version
    bundle = beside if beside.is_dir() else _local_path(event.bundle_uri)
    if not bundle.is_dir():
        raise NoChampion(f"The champion {event.model.version} is gone from {bundle}.", hint="Run `aisle train DATA`.")
    if not (bundle / MANIFEST).is_file() or manifest_sha256(bundle) != event.sha256:
        raise BundleInvalid(
            f"The manifest of {bundle} is not that of the champion {event.model.version}, as it was promoted.",
            hint="Copy the bundle again, or train anew.",
        )
    return bundle


def _local_path(uri: str) -> Path:
    from urllib.parse import unquote, urlparse

    return Path(unquote(urlparse(uri).path))


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
