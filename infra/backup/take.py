"""Taking a backup of a running system, as a whole or not at all.

In this order: the archive's positions, then the topics that are kept for good, the store, the folders. So whatever
was written while the backup was taken is either in it, or done again from those positions; a document of one
collection may be there without what it leads to in another, never the other way round for long. Files in the folders
do not change once they have their names, and the registry's database is copied as of one moment.
"""

import asyncio
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Final

from infra.backup.documents import SUFFIX as BSON
from infra.backup.documents import collections_of, dump
from infra.backup.folders import FOLDERS, SECRETS, copy_folders, sync
from infra.backup.manifest import MANIFEST, BackupManifest, Collected, Told, files_in, sha256_of
from infra.backup.topics import COMPACTED, last_records, positions_of, write_records
from infra.backup.topics import SUFFIX as JSONL
from infra.errors import NotEmpty
from infra.lease import utc_now
from infra.migrations import schema_version
from infra.model_events import read_standing
from infra.store import Store

STORE: Final = "store"
TOPICS: Final = "topics"
DATA: Final = "data"
"""The folders of a backup."""


async def take(store: Store, bootstrap: str, data_dir: Path, target: Path, told: Told, *, secrets: bool) -> Path:
    """Take a backup.

    Args:
        store: The store.
        bootstrap: ``host:port`` of the brokers.
        data_dir: The data directory.
        target: The folder that is to be the backup; it takes its name when all is in it.
        told: Told of the progress.
        secrets: Whether the kept secrets go into it too.

    Raises:
        NotEmpty: There is something already.
        StoreUnavailable: The store is away.
        BrokerUnavailable: No broker answers.
        OSError: The disk is full or not writable.
    """
    part = _part(target)
    try:
        manifest = await _fill(part, store, bootstrap, data_dir, told, secrets=secrets)
        await asyncio.to_thread(_seal, part, target, manifest)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def _part(target: Path) -> Path:
    """A folder beside the target, for nobody but us to read."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise NotEmpty(f"{target} is there already.", hint="Name a folder that is not: a backup is never written over.")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    for name in (STORE, TOPICS, DATA):
        (part / name).mkdir()
    return part


def _seal(part: Path, target: Path, manifest: BackupManifest) -> None:
    (part / MANIFEST).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
    sync(part)
    part.rename(target)


async def _fill(
    part: Path, store: Store, bootstrap: str, data_dir: Path, told: Told, *, secrets: bool
) -> BackupManifest:
    told("topics", 0.0)
    at, positions = utc_now(), await positions_of(bootstrap)
    champion = (await read_standing(bootstrap)).champion
    topics = await _topics(part / TOPICS, bootstrap)
    told("topics", 1.0)
    schema = await schema_version(store)
    collections = await _collections(part / STORE, store, told)
    names = (*FOLDERS, SECRETS) if secrets else FOLDERS
    await asyncio.to_thread(copy_folders, data_dir, part / DATA, names, told)
    files = await asyncio.to_thread(_hashes, part, told)
    return BackupManifest(
        release=version("aisle"),
        at=at,
        schema_version=schema,
        collections=collections,
        topics=topics,
        champion=None if champion is None else champion.model.version,
        positions=positions,
        files=files,
        secrets=secrets,
    )


async def _topics(folder: Path, bootstrap: str) -> dict[str, int]:
    counts = {}
    for topic in COMPACTED:
        records = await last_records(bootstrap, topic)
        write_records(folder / f"{topic}{JSONL}", records.items())
        counts[topic] = len(records)
    return counts


async def _collections(folder: Path, store: Store, told: Told) -> dict[str, Collected]:
    found, names = {}, await collections_of(store)
    for number, name in enumerate(names):
        told("store", number / len(names))
        found[name] = await dump(store, name, folder / f"{name}{BSON}")
    told("store", 1.0)
    return found


def _hashes(part: Path, told: Told) -> dict[str, str]:
    files = list(files_in(part))
    found = {}
    for number, path in enumerate(files):
        told("hashing", number / len(files))
        found[path.relative_to(part).as_posix()] = sha256_of(path)
    told("hashing", 1.0)
    return found
