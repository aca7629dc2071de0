"""Putting a backup back: checked before anything is written, and held to its manifest afterwards."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.backup.documents import SUFFIX as BSON
from infra.backup.documents import collections_of, digest_of, load, merging, replacing
from infra.backup.folders import FOLDERS, SECRETS, copy_folders, for_owner_alone
from infra.backup.manifest import BackupManifest, Told, read_manifest, verify
from infra.backup.take import DATA, STORE, TOPICS
from infra.backup.topics import COMPACTED, go_back, last_records, members, publish_records, read_records
from infra.backup.topics import SUFFIX as JSONL
from infra.errors import NotEmpty, RestoreFailed
from infra.lease import utc_now
from infra.migrations import RESTORING
from infra.model_events import read_standing, tell
from infra.store import (
    API_KEYS,
    AUDIT,
    CLAIMS,
    DLQ_ACTIONS,
    FORGOTTEN,
    INVITATIONS,
    JOBS,
    MIGRATIONS,
    MONITOR,
    REPLAYS,
    SESSIONS,
    SHADOW,
    Document,
    Store,
)
from schemas.model_event import CHAMPION, ModelEvent
from schemas.topics import MODELS_EVENTS

_OF_A_MOMENT: Final = frozenset(
    {API_KEYS, CLAIMS, DLQ_ACTIONS, FORGOTTEN, INVITATIONS, JOBS, MIGRATIONS, MONITOR, REPLAYS, SESSIONS, SHADOW}
)
"""What has documents as soon as aisle has run for a moment. Any other makes a store no empty one, others' as well."""

_KEPT: Final = frozenset({AUDIT, FORGOTTEN})
"""What is only ever added to, also where a backup takes the place of all else."""

_CHAMPIONS: Final = f"/{CHAMPION}".encode()

Begin = Callable[[], Awaitable[None]]
"""Notes that it is done, before anything is written; what cannot be noted is not done."""

Finish = Callable[[], Awaitable[int]]
"""Erases what was forgotten since the backup, and brings the store up to date; how many events it has erased."""


async def _unnoted() -> None:
    pass


async def _nothing() -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done.

    Args:
        manifest: Of the backup.
        published: Records by topic that were published again.
        went_back: Partitions of which the archive reads some again.
        champion: The version in service now.
        forgotten: Events of the backup that were forgotten by request since.
    """

    manifest: BackupManifest
    published: dict[str, int]
    went_back: int
    champion: str | None
    forgotten: int


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

    async def run(
        self, by: str, *, force: bool = False, begin: Begin = _unnoted, finish: Finish = _nothing
    ) -> Restored:
        """Verify, refuse what is not empty, write, and compare. Cut off, it may be run again.

        Args:
            by: Who asks, for the record on the champion.
            force: Put it in the place of what is there; what was forgotten by request stays forgotten, and the audit
                log keeps its entries.
            begin: Notes it, each time that it begins or goes on.
            finish: What else belongs to it: cut off before its end, the restore is still under way.

        Raises:
            BackupInvalid: It is no backup, or was damaged; nothing was written.
            NotEmpty: There is something already, or somebody works with it; nothing was written.
            RestoreFailed: What is there now is not what the backup has.
            BrokerUnavailable: The brokers went away.
        """
        manifest = read_manifest(self._backup)
        await asyncio.to_thread(verify, self._backup, manifest, self._told)
        await self._check_alone()
        mark = await self._mark()
        if not force and mark.get("of") != manifest.at.isoformat():
            await self._check_empty()
        topics = await self._note(manifest, mark)
        await begin()
        await self._load(manifest)
        await asyncio.to_thread(self._folders, manifest)
        await self._compare(manifest)
        published = await self._publish(topics, by)
        forgotten = await finish()
        back = await go_back(self._bootstrap, manifest.positions)
        champion = (await read_standing(self._bootstrap)).champion
        version = None if champion is None else champion.model.version
        if version != manifest.champion:
            raise RestoreFailed(f"{version} is in service, and {manifest.champion} was when the backup was taken.")
        with self._store.named_errors():
            await self._store.collection(MIGRATIONS).delete_one({"_id": RESTORING})
        return Restored(manifest, published, back, version, forgotten)

    async def _check_alone(self) -> None:
        if count := await members(self._bootstrap):
            raise NotEmpty(
                f"{count} archive workers are at work.",
                hint="Stop them: `aisle down`, then `aisle services up` for broker and store alone.",
            )

    async def _check_empty(self) -> None:
        there = [name for name in FOLDERS if any((self._data_dir / name).glob("[!.]*"))]
        for name in sorted(set(await collections_of(self._store)) - _OF_A_MOMENT):
            with self._store.named_errors():
                if await self._store.collection(name).find_one({}, {"_id": True}) is not None:
                    there.append(f"the collection {name}")
        if there:
            raise NotEmpty(
                f"This system is not empty: it has {', '.join(there)}.",
                hint="Restore into a new data directory and database; --force puts the backup in the place of it all.",
            )

    async def _mark(self) -> Document:
        """What a restore that has not come to its end has noted; nothing where there is none."""
        with self._store.named_errors():
            return await self._store.collection(MIGRATIONS).find_one({"_id": RESTORING}) or {}

    async def _note(self, manifest: BackupManifest, mark: Document) -> list[str]:
        """Note that it is under way, and which topics are to be told: those that were empty when it began."""
        topics: list[str] | None = mark.get("topics")
        if topics is None:
            topics = [topic for topic in COMPACTED if not await last_records(self._bootstrap, topic)]
        note = {"$set": {"of": manifest.at.isoformat(), "topics": topics}}
        with self._store.named_errors():
            await self._store.collection(MIGRATIONS).update_one({"_id": RESTORING}, note, upsert=True)
        return topics

    async def _load(self, manifest: BackupManifest) -> None:
        names = sorted({*manifest.collections, *await collections_of(self._store)} - {MIGRATIONS})
        for number, name in enumerate([*names, MIGRATIONS]):
            self._told("store", number / (len(names) + 1))
            if name not in _KEPT:
                with self._store.named_errors():
                    await self._store.collection(name).delete_many({"_id": {"$ne": RESTORING}})
            if name in manifest.collections:
                change = merging if name == FORGOTTEN else replacing
                await load(self._store, name, self._file(name), change)
        self._told("store", 1.0)

    def _file(self, collection: str) -> Path:
        return self._backup / STORE / f"{collection}{BSON}"

    def _folders(self, manifest: BackupManifest) -> None:
        names = (*FOLDERS, SECRETS) if manifest.secrets else FOLDERS
        fresh = self._data_dir / ".restored"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700, parents=True)
        copy_folders(self._backup / DATA, fresh, names, self._told)
        for_owner_alone(fresh / SECRETS)  # whatever the umask is, and whatever has carried the backup about
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
            if (found := await digest_of(self._store, name, self._file(name) if name == AUDIT else None)) != expected:
                raise RestoreFailed(
                    f"{name} has {found.documents:,} documents, and the backup {expected.documents:,}"
                    + (", and others." if found.documents == expected.documents else "."),
                    hint="Is somebody writing to it? Stop them and restore again.",
                )
        self._told("comparing", 1.0)

    async def _publish(self, topics: list[str], by: str) -> dict[str, int]:
        """Have topics say what the backup has, whatever a restore before has told; then who is the champion."""
        published = {topic: await self._tell(topic) for topic in topics}
        published[MODELS_EVENTS] = published.get(MODELS_EVENTS, 0) + await self._put_in_service(by)
        return {topic: count for topic, count in published.items() if count}

    async def _tell(self, topic: str) -> int:
        has = await last_records(self._bootstrap, topic)
        wanted = dict(read_records(self._backup / TOPICS / f"{topic}{JSONL}"))
        lacking = [(key, value) for key, value in wanted.items() if has.get(key) != value]
        return await publish_records(
            self._bootstrap, topic, [*lacking, *((key, None) for key in has.keys() - wanted.keys())]
        )

    async def _put_in_service(self, by: str) -> int:
        """Of two champions the backup's is in force; where it has none, none is."""
        stands, was = (await read_standing(self._bootstrap)).champion, self._champion()
        if (None if stands is None else stands.model) == (None if was is None else was.model):
            return 0
        if was is None:
            keys = [key for key in await last_records(self._bootstrap, MODELS_EVENTS) if key.endswith(_CHAMPIONS)]
            return await publish_records(self._bootstrap, MODELS_EVENTS, [(key, None) for key in keys])
        if stands is not None:
            again = {"previous": stands.model.version, "sequence": stands.sequence + 1, "at": utc_now()}
            was = was.model_copy(update=again | {"by": by, "why": "restored from a backup"})
        await tell(self._bootstrap, was)
        return 1

    def _champion(self) -> ModelEvent | None:
        records = read_records(self._backup / TOPICS / f"{MODELS_EVENTS}{JSONL}")
        events = [ModelEvent.model_validate_json(value) for key, value in records if key.endswith(_CHAMPIONS)]
        return events[-1] if events else None
