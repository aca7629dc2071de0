"""Files over HTTP, on a real store: checked, classified row by row, and their results."""

import asyncio
import csv
import io
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from infra.lease import utc_now
from infra.store import JOBS, Store
from model.data.readers import open_table
from schemas.http.account import Role
from tests.integration.bulk.jobs import BULK, JOBS_PATH, calling, send, until
from workers.gateway.accounts.users import Users
from workers.gateway.bulk import folder, runner

pytestmark = pytest.mark.integration


async def test_a_file_is_classified_row_by_row(store: Store, tmp_path: Path) -> None:
    """The result has a row for each, in their order, with the category or the reason; spreadsheets run none of it."""
    rows = ["sku;titre;prix", "1;Lampe;3", "=1+1;Lampe;3", "3;bad lamp;3", "4;;3", "5;a;b;c"]
    async with calling(store, tmp_path) as (calls, parts, _), runner.working(parts, 0.05):
        sent = await calls.post(BULK, files={"file": ("autumn.csv", "\n".join(rows).encode())})
        job = sent.json()["id"]
        asked = tuple(sent.json()[name] for name in ("rows", "file", "owner"))
        assert (202, (5, "autumn.csv", "customer")) == (sent.status_code, asked)
        done = await until(calls, job, lambda one: one["state"] == "done")
        assert (5, 3) == (done["answered"], done["failed"])
        table = list(csv.DictReader(io.StringIO((await calls.get(done["result"])).text)))
        assert ["2", "3", "4", "5", "6"] == [row["row"] for row in table]
        assert [("1", "lamps"), ("'=1+1", "lamps"), ("3", "")] == [
            (row["product_id"], row["code"]) for row in table[:3]
        ]
        assert "makes the model fail" in table[2]["error"]
        assert "at least one of title" in table[3]["error"]
        assert "4 fields where the header has 3" in table[4]["error"]
        lines = (await calls.get(done["result"], params={"format": "jsonl"})).text.splitlines()
        assert 0.9 == json.loads(lines[0])["confidence"]
        assert [job] == [one["id"] for one in (await calls.get(JOBS_PATH)).json()["items"]]
    async with calling(store, tmp_path, Role.REVIEWER) as (others, _, _):
        assert 404 == (await others.get(f"{JOBS_PATH}/{job}")).status_code
        assert [] == (await others.get(JOBS_PATH)).json()["items"]


@pytest.mark.parametrize(("role", "failed"), [(Role.CUSTOMER, 1), (Role.REVIEWER, 0)])
async def test_photos_of_a_file_are_named_by_those_who_may(
    store: Store, tmp_path: Path, role: Role, failed: int
) -> None:
    """A customer's row that names one fails alone, with the reason."""
    await Users(store).add(role.value, role, None, "the tests")
    content = b"title,image\nlamp,photos/a.jpg\nlamp,\n"
    async with calling(store, tmp_path, role) as (calls, parts, topic), runner.working(parts, 0.05):
        job = (await calls.post(BULK, files={"file": ("x.csv", content)})).json()["id"]
        done = await until(calls, job, lambda one: one["state"] == "done")
        table = list(csv.DictReader(io.StringIO((await calls.get(done["result"])).text)))
    assert (failed, 2 - failed) == (done["failed"], len(topic.published))
    assert bool(failed) == ("do not name them" in table[0]["error"])


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.xlsx", b"PK", "ends with none of"),
        ("x.csv", b"\xff\xfe\x00", "not UTF-8"),
        ("x.csv", b"prix\n3\n", "no column that looks like a title"),
        ("x.jsonl", b"title\n", "no JSON object"),
        ("x.csv", b"title\n", "no rows"),
        ("x.csv", b"title\n" + b"a\n" * 100_001, "more than 100,000 rows"),
    ],
)
async def test_a_file_that_cannot_be_used_is_refused(
    store: Store, tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    """At once, with the reason and without our folders' names; nothing of it is kept."""
    async with calling(store, tmp_path) as (calls, _, _):
        answer = await calls.post(BULK, files={"file": (name, content)})
    assert (422, True) == (answer.status_code, says in answer.json()["detail"]), answer.text
    assert str(tmp_path) not in answer.text
    assert [] == list((tmp_path / "jobs").glob("*"))


async def test_no_more_files_at_once_than_an_account_may_have(store: Store, tmp_path: Path) -> None:
    """Five, also of eight that come at the same moment to two gateways; one that ends makes room for another."""
    async with calling(store, tmp_path) as (calls, _, _), calling(store, tmp_path / "b") as (others, _, _):
        asked = [send((calls, others)[number % 2], b"a\n") for number in range(8)]
        answers = await asyncio.gather(*asked)
        assert [202] * 5 + [429] * 3 == sorted(answer.status_code for answer in answers)
        assert 5 == len((await calls.get(JOBS_PATH)).json()["items"])
        job = next(answer.json()["id"] for answer in answers if answer.status_code == 202)
        assert 200 == (await calls.post(f"{JOBS_PATH}/{job}/cancel")).status_code
        again = [await send(calls, b"a\n") for _ in range(2)]
        assert [202, 429] == [answer.status_code for answer in again]


async def test_a_key_stands_for_one_file(store: Store, tmp_path: Path) -> None:
    """Sent again it is the same job, also at another gateway; another file is refused, also at the same time."""
    async with calling(store, tmp_path) as (calls, _, _), calling(store, tmp_path / "b") as (others, _, _):
        first, same, other = [await send(calls, content, "k") for content in (b"a\n", b"a\n", b"b\n")]
        elsewhere = [await send(others, content, "k") for content in (b"a\n", b"b\n")]
        assert first.json()["id"] == same.json()["id"] == elsewhere[0].json()["id"]
        for refused in (other, elsewhere[1]):
            assert (422, "urn:aisle:problem:idempotency-key-reused") == (refused.status_code, refused.json()["type"])
        assert b"title\na\n" == (tmp_path / "jobs" / first.json()["id"] / "input.csv").read_bytes()
        assert not (tmp_path / "b" / "jobs").exists()
        races = await asyncio.gather(*(send(calls, b"%d\n" % (number % 2), "races") for number in range(6)))
        taken = {number % 2 for number, answer in enumerate(races) if answer.status_code == 202}
        assert [202] * 3 + [422] * 3 == sorted(answer.status_code for answer in races)
        assert 1 == len(taken)
        kept = tmp_path / "jobs" / next(one.json()["id"] for one in races if one.status_code == 202)
        assert [f"title\n{taken.pop()}\n".encode()] == [path.read_bytes() for path in kept.iterdir()]


async def test_a_result_is_read_without_writing(store: Store, tmp_path: Path) -> None:
    """Of a job that was cancelled as of one that is done; a line that is being written is left to who writes it."""
    async with calling(store, tmp_path) as (calls, parts, _):
        async with runner.working(parts, 0.05):
            done = (await send(calls, b"a\n")).json()["id"]
            job = (await send(calls, b"a\nlate\n")).json()["id"]
            await until(calls, done, lambda one: one["state"] == "done")
            await until(calls, job, lambda one: one["answered"] == 1)
        await calls.post(f"{JOBS_PATH}/{job}/cancel")
        with (tmp_path / "jobs" / job / "answers.jsonl").open("a") as file:
            file.write('{"row": 3')
        before = _files(tmp_path / "jobs")
        for one in (job, done):
            for form in ("csv", "jsonl"):
                answer = await calls.get(f"{JOBS_PATH}/{one}/result", params={"format": form})
                assert (200, 1) == (answer.status_code, answer.text.count("lamps"))
                assert f'attachment; filename="{one}.{form}"' == answer.headers["content-disposition"]
        assert before == _files(tmp_path / "jobs")


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_files_are_read_beside_the_event_loop(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The columns of JSON lines are those of their first thousand rows, which may be all of 32 MiB."""
    read_by = set[str]()

    def opened(path: Path) -> Any:
        read_by.add(threading.current_thread().name)
        return open_table(path)

    monkeypatch.setattr(folder, "open_table", opened)
    async with calling(store, tmp_path) as (calls, parts, _), runner.working(parts, 0.05):
        sent = await calls.post(BULK, files={"file": ("x.jsonl", b'{"title": "a"}\n')})
        await until(calls, sent.json()["id"], lambda one: one["state"] == "done")
    assert read_by
    assert threading.main_thread().name not in read_by


async def test_a_cancelled_job_ends_and_is_forgotten_one_day(store: Store, tmp_path: Path) -> None:
    """Its result has what was answered; a week later files and document are gone."""
    async with calling(store, tmp_path) as (calls, parts, _):
        async with runner.working(parts, 0.05):
            sent = await calls.post(BULK, files={"file": ("x.csv", b"title\na\nlate\n")})
            job = sent.json()["id"]
            assert 409 == (await calls.get(f"{JOBS_PATH}/{job}/result")).status_code
            await until(calls, job, lambda one: one["answered"] == 1)
            assert "cancelled" == (await calls.post(f"{JOBS_PATH}/{job}/cancel")).json()["state"]
            assert 409 == (await calls.post(f"{JOBS_PATH}/{job}/cancel")).status_code
            result = (await calls.get(f"{JOBS_PATH}/{job}/result")).text
            assert 2 == len(result.splitlines())
        long_ago = {"$set": {"ended_at": utc_now().replace(year=2025)}}
        await store.collection(JOBS).update_one({"_id": job}, long_ago)
        os.utime(tmp_path / "jobs" / job, (0, 0))
        async with runner.working(parts, 0.05), asyncio.timeout(10):
            while (tmp_path / "jobs" / job).exists():
                await asyncio.sleep(0.05)
        assert 404 == (await calls.get(f"{JOBS_PATH}/{job}")).status_code
