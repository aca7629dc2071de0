"""Putting a backup back: checked before anything is written, and held to its manifest afterwards."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pymongo import UpdateOne

from infra.backup.documents import SUFFIX as BSON
from infra.backup.documents import collections_of, digest_of, load
from infra.backup.folders import FOLDERS, SECRETS, copy_folders
from infra.backup.manifest import BackupManifest, Told, read_manifest, verify
from infra.backup.take import DATA, STORE, TOPICS
from infra.backup.topics import COMPACTED, go_back, last_records, members, publish_records, read_records
from infra.backup.topics import SUFFIX as JSONL
from infra.errors import NotEmpty, RestoreFailed
from infra.lease import utc_now
from infra.migrations import RESTORING
from infra.model_events import read_standing, tell
from infra.scan import scan
from infra.store import AUDIT, FEEDBACK, FORGOTTEN, ITEMS, MIGRATIONS, RUNS, TRAINING_SETS, USERS, Document, Store
from schemas.model_event import ModelEvent
from schemas.topics import MODELS_EVENTS

_PEOPLES: Final = (ITEMS, FEEDBACK, USERS, AUDIT, RUNS, TRAINING_SETS)
"""What makes a store no empty one; others have documents as soon as aisle has run for a moment."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done.

    Args:
        manifest: Of the backup.
        published: Records by topic that were published again.
        went_back: Partitions of which the archive reads some again.
        champion: The version in service now.
    """

    manifest: BackupManifest
    published: dict[str, int]
    went_back: int
    champion: str | None


class Restore:
    """Puts a backup into a system in which nothing but broker and store runs.

    Args:
        store: The store.
        bootstrap: ``host:port`` of the brokers; aisle's topics are there.
        data_dir: The data directory.
        backup: The backup's folder.
        told: Told of the progress.
    """

    def __init__(self, store: Store, bootstrap: str, data_dir: Path, backup: Path, told: Told) -> None:
        self._store = store
        self._bootstrap = bootstrap
        self._data_dir = data_dir
        self._backup = backup
        self._told = told

    async def run(self, by: str, *, force: bool = False) -> Restored:
        """Verify, refuse what is not empty, write, and compare. Cut off, it may be run again.

        Args:
            by: Who asks, for the record on the champion.
            force: Put it in the place of what is there; what was forgotten by request stays forgotten.

        Raises:
            BackupInvalid: It is no backup, or was damaged; nothing was written.
            NotEmpty: There is something already, or somebody works with it; nothing was written.
            RestoreFailed: What is there now is not what the backup has.
        """
        manifest = read_manifest(self._backup)
        await asyncio.to_thread(verify, self._backup, manifest, self._told)
        await self._check_alone()
        if not force and not await self._is_under_way(manifest):
            await self._check_empty()
        await self._note(manifest)
        await self._load(manifest)
        await asyncio.to_thread(self._folders, manifest)
        await self._compare(manifest)
        published = await self._publish(by)
        back = await go_back(self._bootstrap, manifest.positions)
        with self._store.named_errors():
            await self._store.collection(MIGRATIONS).delete_one({"_id": RESTORING})
        champion = (await read_standing(self._bootstrap)).champion
        version = None if champion is None else champion.model.version
        if version != manifest.champion:
            raise RestoreFailed(f"{version} is in service, and {manifest.champion} was when the backup was taken.")
        return Restored(manifest, published, back, version)

    async def _check_alone(self) -> None:
        if count := await members(self._bootstrap):
            raise NotEmpty(
                f"{count} archive workers are at work.",
                hint="Stop them: `aisle down`, then `aisle services up` for broker and store alone.",
            )

    async def _check_empty(self) -> None:
        there = [name for name in FOLDERS if any((self._data_dir / name).glob("[!.]*"))]
        for name in _PEOPLES:
            with self._store.named_errors():
                if await self._store.collection(name).find_one({}, {"_id": True}) is not None:
                    there.append(f"the collection {name}")
        if there:
            raise NotEmpty(
                f"This system is not empty: it has {', '.join(there)}.",
                hint="Restore into a new data directory and database; --force puts the backup in the place of it all.",
            )

    async def _is_under_way(self, manifest: BackupManifest) -> bool:
        with self._store.named_errors():
            found = await self._store.collection(MIGRATIONS).find_one({"_id": RESTORING})
        return found is not None and found["of"] == manifest.at.isoformat()

    async def _note(self, manifest: BackupManifest) -> None:
        note = {"$set": {"of": manifest.at.isoformat()}}
        with self._store.named_errors():
            await self._store.collection(MIGRATIONS).update_one({"_id": RESTORING}, note, upsert=True)

    async def _load(self, manifest: BackupManifest) -> None:
        kept = await self._forgotten()
        names = sorted({*manifest.collections, *await collections_of(self._store)} - {MIGRATIONS})
        for number, name in enumerate([*names, MIGRATIONS]):
            self._told("store", number / (len(names) + 1))
            if name != FORGOTTEN or not kept:
                with self._store.named_errors():
                    await self._store.collection(name).delete_many({"_id": {"$ne": RESTORING}})
            if name in manifest.collections:
                await load(self._store, name, self._backup / STORE / f"{name}{BSON}")
        # What was forgotten since the backup: the latest request counts, and the key that the hashes here are of.
        again: list[Document] = [{"$max" if "at" in one else "$set": _but_id(one)} for one in kept]
        changes = [UpdateOne({"_id": one["_id"]}, change, upsert=True) for one, change in zip(kept, again, strict=True)]
        await self._store.upsert(FORGOTTEN, changes)
        self._told("store", 1.0)

    async def _forgotten(self) -> list[Document]:
        return [one async for one in scan(self._store, FORGOTTEN, {})]

    def _folders(self, manifest: BackupManifest) -> None:
        names = (*FOLDERS, SECRETS) if manifest.secrets else FOLDERS
        fresh = self._data_dir / ".restored"
        shutil.rmtree(fresh, ignore_errors=True)
        copy_folders(self._backup / DATA, fresh, names, self._told)
        for name in names:
            shutil.rmtree(self._data_dir / name, ignore_errors=True)
            if (fresh / name).is_dir():
                (fresh / name).rename(self._data_dir / name)
        shutil.rmtree(fresh, ignore_errors=True)

    async def _compare(self, manifest: BackupManifest) -> None:
        for number, (name, expected) in enumerate(sorted(manifest.collections.items())):
            self._told("comparing", number / len(manifest.collections))
            if name in (MIGRATIONS, FORGOTTEN):  # which say more: that this goes on, and what was forgotten since
                continue
            if (found := await digest_of(self._store, name)) != expected:
                raise RestoreFailed(
                    f"{name} has {found.documents:,} documents, and the backup {expected.documents:,}"
                    + (", and others." if found.documents == expected.documents else "."),
                    hint="Is somebody writing to it? Stop them and restore again.",
                )
        self._told("comparing", 1.0)

    async def _publish(self, by: str) -> dict[str, int]:
        """Tell the topics that are kept for good, where they are empty; of two champions the backup's is in force."""
        published = {}
        for topic in COMPACTED:
            if not await last_records(self._bootstrap, topic):
                records = read_records(self._backup / TOPICS / f"{topic}{JSONL}")
                if count := await publish_records(self._bootstrap, topic, records):
                    published[topic] = count
        stands, was = (await read_standing(self._bootstrap)).champion, self._champion()
        if stands is not None and was is not None and stands.model != was.model:
            again = {"previous": stands.model.version, "sequence": stands.sequence + 1, "at": utc_now()}
            event = was.model_copy(update=again | {"by": by, "why": "restored from a backup"})
            await tell(self._bootstrap, event)
            published[MODELS_EVENTS] = 1
        return published

    def _champion(self) -> ModelEvent | None:
        records = read_records(self._backup / TOPICS / f"{MODELS_EVENTS}{JSONL}")
        events = [ModelEvent.model_validate_json(value) for key, value in records if key.endswith(b"/champion")]
        return events[-1] if events else None


def _but_id(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "_id"}
