"""What a backup says of itself, and whether it is still what was written."""

from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from infra.errors import BackupInvalid
from infra.migrations import check_known

MANIFEST: Final = "manifest.json"

Told = Callable[[str, float], None]
"""Told of a step, and which part of it is done, from 0 to 1."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Collected(_Part):
    """A collection.

    Args:
        documents: How many.
        digest: Of all documents, whatever their order; see `infra.backup.documents`.
    """

    documents: int
    digest: str


class Position(_Part):
    """Where a group stood in a partition, before anything was read: what it did since is done again from there."""

    group: str
    topic: str
    topic_id: str
    partition: int
    offset: int


class BackupManifest(_Part):
    """What is in a backup.

    Args:
        release: Of aisle, which made it.
        schema_version: Of the store.
        collections: By name.
        topics: Records kept of each compacted topic.
        champion: The version that was in service.
        positions: Of the groups.
        files: SHA-256 of every file, by its path in the backup.
        secrets: Whether the kept secrets are in it.
    """

    format: Literal[1] = 1
    release: str
    at: datetime
    schema_version: int | None
    collections: dict[str, Collected]
    topics: dict[str, int]
    champion: str | None
    positions: list[Position]
    files: dict[str, str]
    secrets: bool


def read_manifest(folder: Path) -> BackupManifest:
    """The manifest of a backup.

    Raises:
        BackupInvalid: There is none that can be read.
        StoreTooNew: A newer release wrote the store that it is of.
    """
    try:
        found = BackupManifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BackupInvalid(f"{folder} is no backup: it has no {MANIFEST}.") from error
    except ValidationError as error:
        raise BackupInvalid(
            f"{folder / MANIFEST} cannot be read: {error.errors()[0]['msg']}.",
            hint="A newer release may have written it; else take another backup.",
        ) from error
    check_known(found.schema_version)
    return found


def verify(folder: Path, manifest: BackupManifest, told: Told) -> None:
    """Make sure that all files are there, as they were written, and none beside them.

    Raises:
        BackupInvalid: They are not.
    """
    there = {path.relative_to(folder).as_posix(): path for path in files_in(folder)}
    there.pop(MANIFEST, None)
    if there.keys() != manifest.files.keys():
        odd = sorted(there.keys() ^ manifest.files.keys())
        raise BackupInvalid(f"{folder} is not whole: {len(odd):,} files are missing or strange, such as {odd[0]}.")
    for number, (name, path) in enumerate(sorted(there.items())):
        told("verifying", number / len(there))
        if sha256_of(path) != manifest.files[name]:
            raise BackupInvalid(f"{path} is not what was written.", hint="Take another backup.")
    told("verifying", 1.0)


def files_in(folder: Path) -> Iterator[Path]:
    """All plain files below a folder; links are not followed."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
