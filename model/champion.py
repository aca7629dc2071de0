"""The champion: the decision which bundle is in service, and where that bundle is.

The decision is a record on the topic ``models.events``. The pointer file beside the bundles is its offline form: what
was decided where no broker could be told, and what was last put in service here.
"""

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlparse

from pydantic import ValidationError

from model.bundle import MANIFEST, manifest_sha256, verify
from model.errors import BundleInvalid, NoChampion, PromotionRefused
from schemas.model_event import CHALLENGER, ModelEvent

POINTER = "champion.json"


def read_champion(models_dir: Path) -> ModelEvent | None:
    """The decision that the pointer file keeps, or None when there is no such file.

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


def promotion(bundle: Path, before: ModelEvent | None, *, by: str, why: str, expected: str | None = None) -> ModelEvent:
    """The decision that makes a bundle the champion; nobody is told yet.

    Args:
        bundle: The bundle, which is verified first.
        before: The decision in force.
        by: Who or what decides.
        why: The reason, for the record.
        expected: The version that has to be in force for this to be right; None: whichever is.

    Raises:
        BundleInvalid: It is no bundle, or a file of it is missing or changed.
        PromotionRefused: Another version than the expected one is in force.
    """
    current = before.model.version if before else None
    if expected is not None and expected != current:
        raise PromotionRefused(
            f"{current or 'No model'} is in force, and not {expected}: nothing was promoted.",
            hint="Somebody decided meanwhile; `aisle models list` shows what.",
        )
    manifest = verify(bundle)
    return ModelEvent(
        model=manifest.ref,
        bundle_uri=bundle.resolve().as_uri(),
        sha256=manifest_sha256(bundle),
        taxonomy_sha256=manifest.taxonomy_sha256,
        previous=current,
        sequence=before.sequence + 1 if before else 1,
        by=by,
        why=why,
        at=datetime.now(UTC),
        metrics=manifest.metrics,
    )


def trial(bundle: Path, champion: ModelEvent | None, *, by: str, why: str) -> ModelEvent:
    """The decision that tries a bundle in the shadow of the champion; nobody is told yet.

    Raises:
        BundleInvalid: It is no bundle, or a file of it is missing or changed.
        PromotionRefused: It is the champion.
    """
    event = promotion(bundle, None, by=by, why=why)
    if champion is not None and champion.model == event.model:
        raise PromotionRefused(f"{event.model.version} is the champion: there is nothing to try.")
    return event.model_copy(update={"alias": CHALLENGER})


def keep(models_dir: Path, event: ModelEvent) -> None:
    """Write a decision to the pointer file, in one step.

    Raises:
        OSError: The folder cannot be written.
    """
    _replace(models_dir / POINTER, event.model_dump_json(indent=1).encode())


def promote(models_dir: Path, bundle: Path, *, by: str, why: str) -> ModelEvent:
    """Make a bundle the champion here, offline; the first worker that sees it tells the topic.

    Raises:
        BundleInvalid: It is no bundle, or a file of it is missing or changed.
    """
    event = promotion(bundle, read_champion(models_dir), by=by, why=why)
    keep(models_dir, event)
    return event


def find_bundle(model: Path | None, models_dir: Path) -> Path:
    """The bundle to use here: the one that was named, else that of the decision which the pointer file keeps.

    It is looked up by its version below ``models_dir`` first, so that a data directory may be
    moved, and by its recorded place otherwise. Workers, which know what the topic says, look themselves.

    Raises:
        NoChampion: None was named, and there is no champion or its bundle is gone.
        BundleInvalid: The champion's manifest is not the one that was promoted.
    """
    if model is not None:
        return model
    event = read_champion(models_dir)
    if event is None:
        raise NoChampion(f"There is no model in {models_dir}.", hint="Run `aisle train DATA`, or `aisle demo`.")
    bundle = beside(event, models_dir) or local_place(event.bundle_uri)
    if bundle is None or not bundle.is_dir():
        raise NoChampion(
            f"The champion {event.model.version} is gone from {event.bundle_uri}.", hint="Run `aisle train DATA`."
        )
    check_decided(bundle, event)
    return bundle


def beside(event: ModelEvent, models_dir: Path) -> Path | None:
    """A decision's bundle below the folder of bundles; None where it is not there."""
    bundle = models_dir / event.model.version
    return bundle if bundle.is_dir() else None


def check_decided(bundle: Path, event: ModelEvent) -> None:
    """Refuse a bundle that is not the one that was decided for.

    Raises:
        BundleInvalid: Its manifest is another, or not there.
    """
    if not (bundle / MANIFEST).is_file() or manifest_sha256(bundle) != event.sha256:
        raise BundleInvalid(
            f"The manifest of {bundle} is not that of the champion {event.model.version}, as it was promoted.",
            hint="Copy the bundle again, or train anew.",
        )


def local_place(uri: str) -> Path | None:
    """The directory that a uri names on this machine; None when it names another place."""
    parts = urlparse(uri)
    return Path(unquote(parts.path)) if parts.scheme == "file" and parts.netloc in ("", "localhost") else None


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
