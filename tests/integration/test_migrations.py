"""Migrations on a real store: each step on record once, cut off and repeated at will; nothing of a newer release."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from unittest.mock import AsyncMock

import pytest
from pymongo import UpdateOne

from infra.doctor_servers import check_store
from infra.errors import StoreTooNew
from infra.migrations import SCHEMA, VERSION, Migration, migrate, schema_version
from infra.store import FEEDBACK, ITEMS, LEASES, MIGRATIONS, Store
from infra.store_schema import prepare
from tests.integration.conftest import Services

pytestmark = pytest.mark.integration

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


async def put(store: Store, collection: str, *documents: dict[str, Any]) -> None:
    """Documents as they are."""
    await store.collection(collection).insert_many(list(documents))


async def of_before(store: Store) -> None:
    """Make the store one that a release without versions has written."""
    await store.collection(MIGRATIONS).delete_many({})
    await put(store, ITEMS, {"_id": "e1"})


def step(number: int, run: Any) -> Migration:
    """A step that somebody made."""
    return Migration(number, f"step {number}", run)


def adding(name: str) -> Any:
    """A step that gives each item a field."""

    async def run(store: Store) -> None:
        ids = [one["_id"] async for one in store.collection(ITEMS).find({}, {"_id": True})]
        await store.upsert(ITEMS, [UpdateOne({"_id": key}, {"$set": {name: 1}}) for key in ids])

    return run


async def test_a_new_store_has_the_version_of_this_release_and_no_step_is_run(store: Store) -> None:
    """There is nothing to bring up to date in an empty store."""
    unused = AsyncMock()
    await store.collection(MIGRATIONS).delete_many({})

    await migrate(store, (step(1, unused), step(2, unused)))

    assert (2, 0) == (await schema_version(store), unused.await_count)


async def test_a_store_of_before_is_brought_up_to_date_by_whoever_prepares_it(store: Store) -> None:
    """Verdicts that were bound before it was kept since when count from when they were given; others stay."""
    await of_before(store)
    await put(
        store,
        FEEDBACK,
        {"_id": "old", "at": NOON, "content": "c"},
        {"_id": "known", "at": NOON, "content": "c", "known_at": datetime(2026, 11, 2, tzinfo=UTC)},
        {"_id": "unbound", "at": NOON},
    )

    await prepare(store)
    await prepare(store)

    found = {one["_id"]: one.get("known_at") async for one in store.collection(FEEDBACK).find()}
    assert {"old": NOON, "known": datetime(2026, 11, 2, tzinfo=UTC), "unbound": None} == found
    assert VERSION == await schema_version(store)


async def test_what_was_cut_off_goes_on_with_the_step_that_it_broke_in(store: Store) -> None:
    """Steps before it are on record and not taken again."""
    await of_before(store)
    first, second = AsyncMock(), AsyncMock(side_effect=[RuntimeError("killed"), None])
    steps = (step(1, first), step(2, second))

    with pytest.raises(RuntimeError):
        await migrate(store, steps)
    assert 1 == await schema_version(store)
    await migrate(store, steps)

    assert (2, 1, 2) == (await schema_version(store), first.await_count, second.await_count)
    noted = [one["_id"] async for one in store.collection(MIGRATIONS).find().sort("_id")]
    assert [SCHEMA, "step-1", "step-2"] == noted


async def test_two_processes_at_once_end_the_same(store: Store, services: Services) -> None:
    """Both return when the store is up to date, and one of them did the work."""
    await of_before(store)
    other = Store(services.mongodb_uri, store._database.name)
    calls = AsyncMock(side_effect=adding("one"))
    try:
        await asyncio.gather(*(migrate(one, (step(1, calls), step(2, adding("two")))) for one in (store, other)))
    finally:
        other.close()

    assert {"_id": "e1", "one": 1, "two": 1} == await store.collection(ITEMS).find_one()
    assert (2, 1) == (await schema_version(store), calls.await_count)
    lease = await store.collection(LEASES).find_one({"_id": "migrations"})
    assert lease is not None
    assert lease["until"] < datetime.now(UTC), "the lease was given back"


async def test_a_store_of_a_newer_release_is_refused(store: Store, services: Services) -> None:
    """By whoever prepares it, and by the doctor; both say what to do."""
    await store.collection(MIGRATIONS).update_one({"_id": SCHEMA}, {"$set": {"version": VERSION + 1}})

    with pytest.raises(StoreTooNew, match=f"schema {VERSION + 1}"):
        await prepare(store)

    settings = services.settings.model_copy(update={"mongodb_database": store._database.name})
    finding = await asyncio.to_thread(check_store, settings)
    assert "fail" == finding.status
    assert "newer" in finding.detail
