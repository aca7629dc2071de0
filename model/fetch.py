"""Brings the bundle of a decision to this machine: where it lies here already, else a checked copy of it."""

import errno
import logging
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import urlparse

from model.bundle import MANIFEST, read_manifest, staging, verify
from model.champion import beside, check_decided, local_place
from model.errors import BundleInvalid, BundleUnavailable
from schemas.errors import AisleError
from schemas.model_event import ModelEvent

_STORES: Final = ("s3", "gs", "gcs", "az", "abfs", "memory")

logger = logging.getLogger(__name__)


def fetch_bundle(event: ModelEvent, models_dir: Path) -> Path:
    """The bundle of a decision; blocks, for as long as a copy takes.

    It is looked up by its version below ``models_dir`` first, then at its uri: a directory of this machine is used
    where it is, an object store's is copied below ``models_dir``. Only files that the manifest names are copied.

    Args:
        event: The decision.
        models_dir: Where bundles live.

    Raises:
        BundleInvalid: What is found is not what was decided for.
        BundleUnavailable: It is not there, or its place gives no answer.
    """
    place = beside(event, models_dir) or local_place(event.bundle_uri)
    if place is None:
        return _copy(event, models_dir)
    if not place.is_dir():
        raise BundleUnavailable(
            f"The bundle {event.model.version} is neither in {models_dir} nor at {event.bundle_uri}.",
            hint="Copy it to either place; it is looked for again.",
        )
    check_decided(place, event)
    return place


def _copy(event: ModelEvent, models_dir: Path) -> Path:
    scheme = urlparse(event.bundle_uri).scheme
    if scheme not in _STORES or "::" in event.bundle_uri:
        raise BundleUnavailable(f"The bundle's uri {event.bundle_uri} names no place that bundles are copied from.")
    try:
        with staging(models_dir) as staged:
            _copy_files(event, staged)
            return _move(staged, models_dir / event.model.version, event)
    except AisleError:
        raise
    except Exception as error:  # each driver raises what its client does
        raise BundleUnavailable(
            f"The bundle at {event.bundle_uri} cannot be copied: {type(error).__name__}: {error}."
        ) from error


def _copy_files(event: ModelEvent, staged: Path) -> None:
    from fsspec.core import url_to_fs

    files, root = url_to_fs(event.bundle_uri.rstrip("/"))
    _get(files, f"{root}/{MANIFEST}", staged / MANIFEST)
    check_decided(staged, event)
    for name in read_manifest(staged).files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name:
            raise BundleInvalid(f"The manifest of {event.bundle_uri} names a file outside the bundle: {name!r}.")
        (staged / path).parent.mkdir(parents=True, exist_ok=True)
        _get(files, f"{root}/{name}", staged / path)
    verify(staged)
    logger.info("bundle %s copied from %s", event.model.version, event.bundle_uri)


def _get(files: Any, source: str, target: Path) -> None:
    files.get_file(source, str(target))
    target.chmod(0o444)


def _move(staged: Path, target: Path, event: ModelEvent) -> Path:
    """Into its place in one step; another worker of this machine may have been quicker."""
    staged.chmod(0o755)
    try:
        staged.rename(target)
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise
        check_decided(target, event)
    return target
