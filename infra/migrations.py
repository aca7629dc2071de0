"""Bringing a store that an older release wrote up to date: numbered steps, run by whoever prepares the store first.

A step may be cut off at any point and run again, and two processes may run it at once: it writes only by upserts and
updates that repeat without effect, adds and never removes, so that workers of the release before go on meanwhile. The
lease only saves the others the work. A store that a newer release has prepared is refused: nobody here knows what its
documents mean.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from pymongo import UpdateOne

from infra.errors import StoreTooNew, StoreUnavailable
from infra.lease import Lease, utc_now
from infra.logging import get_logger
from infra.scan import scan
from infra.store import FEEDBACK, ITEMS, MIGRATIONS, USERS, Document, Store

SCHEMA: Final = "schema"
"""Id of the record that says how far the store is."""

RESTORING: Final = "restore"
"""Id of the record that a restore has begun and not come to its end."""

_BATCH: Final = 500
_LOOK_S: Final = 0.25
_RENEW_S: Final = 8.0
_WAIT_S: Final = 600.0

logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Migration:
    """One step.

    Args:
        number: Its place; the store's version once it is done.
        what: What it does, for the record.
        run: Does it.
    """

    number: int
    what: str
    run: Callable[[Store], Awaitable[None]]


async def _say_since_when(store: Store) -> None:
    """Verdicts bound to their content before ``known_at`` was kept count for trainings from when they were given."""
    changes: list[UpdateOne] = []
    lacking: Document = {"content": {"$exists": True}, "known_at": {"$exists": False}}
    async for one in scan(store, FEEDBACK, lacking, ("at",)):
        changes.append(UpdateOne({"_id": one["_id"]}, {"$min": {"known_at": one["at"]}}))
        if len(changes) >= _BATCH:
            await store.upsert(FEEDBACK, changes)
            changes = []
    await store.upsert(FEEDBACK, changes)


STEPS: Final = (Migration(1, "verdicts say since when their content is known", _say_since_when),)
VERSION: Final = STEPS[-1].number
"""Of the store as this release writes it."""


async def schema_version(store: Store) -> int | None:
    """How far the store is; None where nobody has prepared it, or only a release before there were versions.

    Raises:
        StoreUnavailable: The store is away.
    """
    with store.named_errors():
        found = await store.collection(MIGRATIONS).find_one({"_id": SCHEMA})
    return None if found is None else int(found["version"])


async def migrate(store: Store, steps: Sequence[Migration] = STEPS) -> None:
    """Take the steps that the store lacks; return once it is up to date, whoever brought it there.

    Raises:
        StoreTooNew: A newer release has prepared it.
        StoreUnavailable: The store is away, or another process has not come to an end; may be repeated.
    """
    latest = steps[-1].number
    if await _is_done(store, latest):
        return
    if await schema_version(store) is None and not await _has_documents(store):
        await _note(store, latest)
        return
    lease = Lease(store, "migrations", uuid4().hex)
    try:
        async with asyncio.timeout(_WAIT_S):
            while not await _is_done(store, latest):
                if await lease.take():
                    await _go_on(store, steps, lease)
                else:
                    await asyncio.sleep(_LOOK_S)
    except TimeoutError as error:
        raise StoreUnavailable("Another process has not finished migrating the store.") from error
    finally:
        if lease.epoch:
            await lease.drop()


def check_known(version: int | None, latest: int = VERSION) -> None:
    """Refuse what a newer release wrote.

    Raises:
        StoreTooNew: The version is none that this release knows.
    """
    if version is not None and version > latest:
        raise StoreTooNew(
            f"The store has schema {version}, and this release knows up to {latest}: a newer one has written it.",
            hint="Install that release again, or restore a backup from before it.",
        )


async def _is_done(store: Store, latest: int) -> bool:
    version = await schema_version(store)
    check_known(version, latest)
    return version == latest


async def _has_documents(store: Store) -> bool:
    for name in (ITEMS, FEEDBACK, USERS):
        with store.named_errors():
            if await store.collection(name).find_one({}, {"_id": True}) is not None:
                return True
    return False


async def _go_on(store: Store, steps: Sequence[Migration], lease: Lease) -> None:
    renewing = asyncio.create_task(_renew(lease))
    try:
        version = await schema_version(store) or 0
        for step in steps:
            if step.number > version:
                logger.info("migrating the store", schema=step.number, what=step.what)
                await step.run(store)
                await _note(store, step.number, step.what)
    finally:
        renewing.cancel()
        await asyncio.wait({renewing})


async def _renew(lease: Lease) -> None:
    while True:
        await asyncio.sleep(_RENEW_S)
        with suppress(StoreUnavailable):
            await lease.renew()


async def _note(store: Store, number: int, what: str | None = None) -> None:
    """The version only grows, whoever notes it last; each step is on record once."""
    notes = [UpdateOne({"_id": SCHEMA}, {"$max": {"version": number}}, upsert=True)]
    if what is not None:
        done = {"what": what, "at": utc_now()}
        notes.append(UpdateOne({"_id": f"step-{number}"}, {"$setOnInsert": done}, upsert=True))
    await store.upsert(MIGRATIONS, notes)
