"""What becomes of jobs when machines, disks and stores go and come back, on a real store."""

import asyncio
import csv
import errno
import io
import json
from collections import Counter
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from infra.errors import StoreUnavailable
from infra.lease import Lease, utc_now
from infra.store import ITEMS, JOBS, LEASES, Store
from schemas.http.account import Role
from schemas.topics import PREDICTIONS_OUT
from tests.integration.bulk.jobs import AT, BULK, JOBS_PATH, OPEN, calling, prediction, send, until
from tests.records import record
from workers.gateway.bulk import places, runner
from workers.gateway.bulk.folder import Folder
from workers.gateway.bulk.jobs import Jobs
from workers.gateway.bulk.places import GONE_AFTER, Places, place_of
from workers.gateway.bulk.room import Room
from workers.gateway.bulk.work import event_of

pytestmark = pytest.mark.integration


async def test_one_job_that_cannot_be_done_stops_no_other(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is wrong with it: it ends with the reason, in words, and those behind it are done."""
    asked = {"state": "waiting", "owner": "customer", "place": place_of(tmp_path), "asked_at": AT, "file": "x.csv"}
    asked |= {"rows": 1, "sent": 0, "answered": 0, "failed": 0, "epoch": 0}
    no_suffix, no_file, no_count = (str(UUID(int=number)) for number in range(3))
    broken = {no_suffix: asked, no_file: asked | {"suffix": ".csv"}, no_count: asked | {"suffix": ".csv"}}
    del broken[no_count]["sent"]
    (tmp_path / "jobs" / no_count).mkdir(parents=True)
    (tmp_path / "jobs" / no_count / "input.csv").write_text("title\na\n")
    await store.collection(JOBS).insert_many({"_id": job, **fields} for job, fields in broken.items())
    looks, real = [0], Jobs.open

    async def bad_at_first(self: Jobs, place: str) -> list[dict[str, Any]]:
        looks[0] += 1
        if looks[0] == 1:
            raise RuntimeError("the look itself fails")
        return await real(self, place)

    monkeypatch.setattr(Jobs, "open", bad_at_first)
    async with calling(store, tmp_path, Role.ADMIN) as (calls, parts, _), runner.working(parts, 0.05):
        full = (await send(calls, b"full\n")).json()["id"]
        (tmp_path / "jobs" / full / "answers.jsonl").mkdir()  # nothing can be added to it
        good = (await send(calls, b"good\n")).json()["id"]
        await until(calls, good, lambda one: one["state"] == "done")
        for job in (*broken, full):
            await until(calls, job, lambda one: one["state"] == "failed")
        listed = {one["id"]: one["outcome"] for one in (await calls.get(JOBS_PATH)).json()["items"]}
    assert "not on the gateway's disk" in listed[no_file]
    assert ["The gateway failed on this file; its log says how."] * 3 == [
        listed[job] for job in (no_suffix, no_count, full)
    ]
    assert "The gateway cannot use its disk: No space left on device." == runner.reason_of(OSError(errno.ENOSPC, ""))


async def test_jobs_of_a_machine_that_is_gone_end_and_hold_up_nobody(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are: those that are here are done, and theirs end with a reason after an hour."""
    monkeypatch.setattr(runner, "_TIDY_EVERY_S", 0.0)
    monkeypatch.setattr(places, "monotonic", count(step=3_600).__next__)
    theirs = OPEN | {"owner": "reviewer", "place": "gone"}
    await store.collection(JOBS).insert_many({"_id": str(UUID(int=number)), **theirs} for number in range(110))
    await Places(store, lambda: utc_now() - GONE_AFTER + timedelta(minutes=1)).beat("gone")
    async with calling(store, tmp_path, Role.ADMIN) as (calls, parts, _):
        async with runner.working(parts, 0.05):
            job = (await send(calls, b"a\n")).json()["id"]
            await until(calls, job, lambda one: one["state"] == "done")
        assert "running" == (await calls.get(f"{JOBS_PATH}/{UUID(int=1)}")).json()["state"]
        await store.collection(LEASES).update_one({"place": "gone"}, {"$set": {"until": utc_now() - 2 * GONE_AFTER}})
        async with runner.working(parts, 0.05):
            ended = await until(calls, str(UUID(int=1)), lambda one: one["state"] == "failed")
        assert "machine that had the file is gone" in ended["outcome"]
        assert 0 == await store.collection(JOBS).count_documents({"state": "running"})
        assert place_of(tmp_path) == place_of(tmp_path)


async def test_nobody_is_taken_for_gone_while_the_store_was_away(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes back first after hours, or starts then, ends no other's jobs until it has missed it for an hour."""
    here, there = place_of(tmp_path / "a"), place_of(tmp_path / "b")
    job, hours, away, looks = str(UUID(int=1)), [0.0], set[str](), Counter[tuple[str, bool]]()
    beat, long_ago = Places.beat, utc_now() - 2 * GONE_AFTER

    async def beat_if_there(self: Places, place: str) -> None:
        looks[place, place in away] += 1  # the look before has ended
        if place in away:
            raise StoreUnavailable("away")
        await beat(self, place)

    async def look(place: str) -> None:
        """Let it look at least once as the store is now."""
        until = looks[place, place in away] + 3
        async with asyncio.timeout(10):
            while looks[place, place in away] < until:
                await asyncio.sleep(0.01)

    async def state() -> str:
        return str((await Jobs(store).document(job))["state"])

    monkeypatch.setattr(Places, "beat", beat_if_there)
    monkeypatch.setattr(places, "monotonic", lambda: 3_600 * hours[0])
    for name in ("_BEAT_EVERY_S", "_TIDY_EVERY_S"):
        monkeypatch.setattr(runner, name, 0.0)
    await store.collection(JOBS).insert_one({"_id": job, **OPEN, "place": there})
    async with calling(store, tmp_path / "a") as (_, parts, _), runner.working(parts, 0.01):
        await Places(store, lambda: long_ago).beat(there)  # its last one before the store went
        await look(here)
        away |= {here, there}
        await look(here)
        hours[0] += 2
        away -= {here}
        await look(here)
        assert "running" == await state()
        async with calling(store, tmp_path / "a") as (_, others, _), runner.working(others, 0.01):
            await look(here)  # one that starts
            await look(here)
        assert "running" == await state()
        hours[0] += 0.9
        await look(here)
        assert "running" == await state()
        hours[0] += 0.2
        await look(here)
        assert "failed" == await state()


async def test_a_job_that_another_works_on_is_left_alone(store: Store, tmp_path: Path) -> None:
    """Whatever looks wrong with it from here; once nobody works on it, it ends with the reason."""
    held = {str(UUID(int=number)): OPEN | {"place": place_of(tmp_path)} for number in range(2)}
    del held[str(UUID(int=1))]["suffix"]
    await store.collection(JOBS).insert_many({"_id": job, **fields} for job, fields in held.items())
    leases = [Lease(store, f"job {job}", "another") for job in held]
    assert [True, True] == [await lease.take() for lease in leases]
    async with calling(store, tmp_path) as (calls, parts, _), runner.working(parts, 0.05):
        good = (await send(calls, b"a\n")).json()["id"]  # younger, so the others were looked at before
        await until(calls, good, lambda one: one["state"] == "done")
        assert ["running"] * 2 == [(await Jobs(store).document(job))["state"] for job in held]
        for job, lease in zip(held, leases, strict=True):
            assert await lease.renew()
            await lease.drop()
            await until(calls, job, lambda one: one["state"] == "failed")


async def test_a_disk_that_comes_back_ends_no_job(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network's disk may be away for a moment: the job waits, the others go on, and it is done then."""
    broken, real = {"first": 0}, Folder.mend

    def mend(self: Folder) -> None:
        if "bad" in self.input.read_text() and broken["first"] < 2:
            broken["first"] += 1
            raise OSError((errno.ESTALE, errno.EIO)[broken["first"] - 1], "away")
        real(self)

    monkeypatch.setattr(Folder, "mend", mend)
    monkeypatch.setattr(runner, "_PUT_OFF_S", 0.1)
    async with calling(store, tmp_path) as (calls, parts, _), runner.working(parts, 0.05):
        job = (await send(calls, b"bad\n")).json()["id"]
        ended = await until(calls, job, lambda one: one["ended_at"] is not None)
    assert ("done", 2) == (ended["state"], broken["first"])


@pytest.mark.parametrize("step", [(Jobs, "document"), (Room, "take")])
async def test_a_file_that_was_refused_halfway_may_be_sent_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: tuple[type, str]
) -> None:
    """The store went away once the job was noted: the runner ends it, and under its key it is asked for anew."""

    async def away(*_: object) -> None:
        raise StoreUnavailable("away")

    async with calling(store, tmp_path) as (calls, parts, _):
        with monkeypatch.context() as patch:
            patch.setattr(*step, away)
            assert 503 == (await send(calls, b"a\n", "k")).status_code
        monkeypatch.setattr(runner, "_PLACED_WITHIN", timedelta())
        async with runner.working(parts, 0.05):
            job = (await calls.get(JOBS_PATH)).json()["items"][0]["id"]
            await until(calls, job, lambda one: one["state"] == "failed")
            monkeypatch.setattr(runner, "_PLACED_WITHIN", timedelta(minutes=1))
            assert 422 == (await send(calls, b"b\n", "k")).status_code
            again = await send(calls, b"a\n", "k")
            assert (202, job, "waiting") == (again.status_code, again.json()["id"], again.json()["state"])
            await until(calls, job, lambda one: one["state"] == "done")


async def test_jobs_from_before_places_were_noted_end(store: Store, tmp_path: Path) -> None:
    """Done where their file is, failed where it is not; so they do not count for ever, and their keys answer."""
    async with calling(store, tmp_path) as (calls, parts, _):
        here, lost = [(await send(calls, f"{name}\n".encode(), name)).json()["id"] for name in "ab"]
        noted = {"$unset": {"place": "", "digest": ""}, "$set": {"asked_at": AT}}
        await store.collection(JOBS).update_many({}, noted)
        (tmp_path / "jobs" / lost / "input.csv").unlink()
        assert (202, here) == ((again := await send(calls, b"a\n", "a")).status_code, again.json()["id"])
        async with runner.working(parts, 0.05):
            await until(calls, here, lambda one: one["state"] == "done")
            await until(calls, lost, lambda one: one["state"] == "failed")
            assert 202 == (await send(calls, b"b\n", "b")).status_code
            await until(calls, lost, lambda one: one["state"] == "done")


async def test_another_gateway_goes_on_where_one_died(store: Store, tmp_path: Path) -> None:
    """What was answered is not asked again, and what was answered meanwhile is taken from the store."""
    titles = ["a", "late b", "late c"]
    rows = [json.dumps({"product_id": str(number), "title": title}) for number, title in enumerate(titles)]
    async with calling(store, tmp_path) as (calls, parts, topic):
        async with runner.working(parts, 0.05):
            body = {"file": ("x.jsonl", "\n".join(rows).encode())}
            sent = [await calls.post(BULK, files=body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
            job = sent[0].json()["id"]
            assert job == sent[1].json()["id"]
            await until(calls, job, lambda one: one["answered"] == 1)
        assert titles == topic.published
    part = prediction(event_of(job, 2), "1", "meanwhile").model_dump(exclude={"event_id", "product_id"})
    item = {"_id": event_of(job, 2), "product_id": "1", "product": {"submitted_by": "customer"}, "prediction": part}
    await store.collection(ITEMS).insert_one(item)
    async with calling(store, tmp_path) as (calls, parts, topic):
        async with runner.working(parts, 0.05):
            await until(calls, job, lambda one: one["answered"] == 2)
            assert ["late c"] == topic.published
            value = prediction(event_of(job, 3), "2").model_dump_json().encode()
            parts.road.answers._give(event_of(job, 3), record(value, topic=PREDICTIONS_OUT))
            done = await until(calls, job, lambda one: one["state"] == "done")
        table = list(csv.DictReader(io.StringIO((await calls.get(done["result"])).text)))
    assert ["lamps", "meanwhile", "lamps"] == [row["code"] for row in table]
