"""What an operator does over HTTP, on a real broker and store: models, runs, dead letters."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from infra.kafka.clients import admin_client, producer_client, reader_client, records
from infra.kafka.topics import create_topics
from infra.lease import utc_now
from infra.model_events import read_standing
from infra.runs import Runs
from infra.store import AUDIT, ITEMS, MONITOR, Store
from schemas.headers import EVENT_ID, last_text
from schemas.http.account import Role
from schemas.topics import MODELS_EVENTS, PREDICTIONS_OUT, PRODUCTS_IN
from tests.bundles import make_bundle
from tests.gateway import client, gateway
from tests.integration.conftest import Services
from workers.gateway.parts import Parts

pytestmark = pytest.mark.integration

OLD, NEW = "20260101-000000-aaaaaa", "20260102-000000-bbbbbb"
LETTERS, MODELS, RUNS = "/api/v1/dead-letters", "/api/v1/models", "/api/v1/runs"
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Running:
    """A gateway with a broker and a store, and who calls it."""

    parts: Parts
    admin: httpx.AsyncClient
    reviewer: httpx.AsyncClient
    store: Store
    bootstrap: str

    async def audited(self) -> list[tuple[str, str, str]]:
        """Who did what to what, in order."""
        entries = self.store.collection(AUDIT).find({}).sort("_id", 1)
        return [(entry["who"], entry["action"], entry["subject"]) async for entry in entries]


@pytest.fixture
async def running(services: Services, store: Store, tmp_path: Path) -> AsyncIterator[Running]:
    """A gateway for these tests."""
    async with admin_client(services.kafka_bootstrap) as admin:
        await create_topics(admin, services.settings)
    app, parts = gateway(tmp_path, store, kafka_bootstrap=services.kafka_bootstrap)
    async with client(app, Role.ADMIN) as admin_calls, client(app, Role.REVIEWER) as reviewer_calls:
        yield Running(parts, admin_calls, reviewer_calls, store, services.kafka_bootstrap)
    async with producer_client(services.kafka_bootstrap) as producer:  # other tests share the broker
        await producer.send_and_wait(MODELS_EVENTS, None, key=b"aisle/champion")


async def test_a_model_is_put_in_service_and_taken_back(running: Running, tmp_path: Path) -> None:
    """Workers hear of it on the topic; who decided is in the record and in the audit log."""
    for version in (OLD, NEW):
        make_bundle(tmp_path / "models", version)
    assert 403 == (await running.reviewer.post(f"{MODELS}/{OLD}/promote", json={})).status_code
    for version, expected in ((OLD, None), (NEW, OLD)):
        asked = {"why": "a test", "previous": expected} if expected else {"why": "a test"}
        told = await running.admin.post(f"{MODELS}/{version}/promote", json=asked)
        assert (200, version, None) == (told.status_code, told.json()["decision"]["version"], told.json()["untold"])
    again = await running.admin.post(f"{MODELS}/{NEW}/promote", json={})
    assert (409, False) == (again.status_code, again.json()["retryable"])
    other = await running.admin.post(f"{MODELS}/{OLD}/promote", json={"previous": OLD})
    assert (409, "urn:aisle:problem:promotion-refused") == (other.status_code, other.json()["type"])

    listed = (await running.reviewer.get(MODELS)).json()
    assert [(NEW, "champion"), (OLD, "previous")] == [(row["version"], row["state"]) for row in listed["items"]]
    assert ("admin", "a test") == (listed["champion"]["by"], listed["champion"]["why"])
    back = await running.admin.post(f"{MODELS}/rollback", json={})
    assert (OLD, NEW) == (back.json()["decision"]["version"], back.json()["decision"]["previous"])
    champion = (await read_standing(running.bootstrap)).champion
    assert champion is not None
    assert (OLD, "admin") == (champion.model.version, champion.by)
    assert [("admin", "model.promote", OLD), ("admin", "model.promote", NEW)] == (await running.audited())[:2]
    assert ("admin", "model.rollback", OLD) == (await running.audited())[-1]


async def test_a_model_is_tried_in_the_shadow_and_taken_back(running: Running, tmp_path: Path) -> None:
    """The topic has the challenger, and then none."""
    for version in (OLD, NEW):
        make_bundle(tmp_path / "models", version)
    await running.admin.post(f"{MODELS}/{OLD}/promote", json={})
    assert 409 == (await running.admin.post(f"{MODELS}/shadow", json={"version": OLD})).status_code
    assert 404 == (await running.admin.post(f"{MODELS}/shadow", json={"version": "none"})).status_code
    tried = await running.admin.post(f"{MODELS}/shadow", json={"version": NEW})
    assert (200, NEW) == (tried.status_code, tried.json()["decision"]["version"])
    listed = (await running.reviewer.get(MODELS)).json()
    assert [True, False] == [row["challenger"] for row in listed["items"]]
    assert (await running.admin.delete(f"{MODELS}/shadow")).json()["decision"] is None
    assert (await read_standing(running.bootstrap)).tried is None


async def test_a_run_is_asked_for_followed_and_ended(running: Running) -> None:
    """Its log is given as it grows, each line once; one that has ended cannot be ended again."""
    asked = await running.admin.post(RUNS, json={"why": "new season"})
    number = asked.json()["id"]
    assert (202, "requested", "admin") == (asked.status_code, asked.json()["state"], asked.json()["by"])
    runs = Runs(running.store)
    run = await runs.get(number)
    assert run is not None
    assert await runs.begin(run, 1, {"started_at": utc_now()})
    seen, place = list[str](), asked.json()["log_next"]
    for line in ("reading", "training", "judging"):
        assert await runs.write(number, 1, {"step": line, "part": 0.5}, line)
        shown = (await running.reviewer.get(f"{RUNS}/{number}", params={"log_from": place})).json()
        seen += [one["said"] for one in shown["log"]]
        place = shown["log_next"]
    assert (["reading", "training", "judging"], "judging") == (seen, shown["step"])
    assert [] == (await running.reviewer.get(f"{RUNS}/{number}", params={"log_from": place})).json()["log"]

    assert 202 == (await running.admin.post(f"{RUNS}/{number}/cancel")).status_code
    await runs.write(number, 1, {"state": "cancelled", "outcome": "as admin asked", "ended_at": utc_now()})
    ended = await running.admin.post(f"{RUNS}/{number}/cancel")
    assert (409, True) == (ended.status_code, "as admin asked" in ended.json()["detail"])
    listed = (await running.reviewer.get(RUNS)).json()
    assert ([(number, "cancelled")], None) == ([(row["id"], row["state"]) for row in listed["items"]], listed["worker"])
    assert ["run.ask", "run.cancel", "run.cancel"] == [action for _, action, _ in await running.audited()]


def _item(number: int, stage: str, at: datetime, **parts: Any) -> dict[str, Any]:
    """An item whose product became a dead letter."""
    letter = {
        "attempts": 1,
        "at": at,
        "topic": PRODUCTS_IN,
        "partition": 0,
        "offset": number,
        "timestamp_ms": 1_760_000_000_000,
        "stage": stage,
        "error_class": f"{stage}-failed",
        "message": "<script>alert(1)</script>",
        "key": b"p",
        "value": b'{"title": "x"}' if number % 2 else b"\xff\x00",
        "headers": [{"name": "trace", "value": b"\xfe"}],
    }
    return {"_id": str(UUID(int=number)), "product_id": f"p{number}", "dead_letter": letter, **parts}


@pytest.fixture
async def letters(store: Store) -> list[str]:
    """Ten dead letters, of which seven failed in the same millisecond, and one was predicted after all."""
    ats = [AT] * 7 + [AT + timedelta(seconds=number) for number in range(3)]
    items = [_item(number, "infer" if number % 2 else "decode", at) for number, at in enumerate(ats)]
    items[9]["prediction"] = {"classified_at": AT}
    await store.collection(ITEMS).insert_many(items)
    return [item["_id"] for item in items]


async def test_dead_letters_are_listed_by_pages_and_filters(running: Running, letters: list[str]) -> None:
    """Each is on one page, also where many have one time."""
    found, cursor = list[str](), None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await running.reviewer.get(LETTERS, params=params)).json()
        found += [row["event_id"] for row in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert (set(letters[:9]), 9) == (set(found), len(found))
    decode = (await running.reviewer.get(LETTERS, params={"stage": "decode", "state": ["open", "predicted"]})).json()
    assert {letters[number] for number in (0, 2, 4, 6, 8)} == {row["event_id"] for row in decode["items"]}
    one = (await running.reviewer.get(LETTERS, params={"product_id": "p3"})).json()
    assert [letters[3]] == [row["event_id"] for row in one["items"]]
    counts = (await running.reviewer.get(f"{LETTERS}/counts")).json()
    assert ({"open": 9, "predicted": 1}, True) == (
        {one["name"]: one["letters"] for one in counts["states"]},
        counts["complete"],
    )
    shown = (await running.reviewer.get(f"{LETTERS}/{letters[1]}")).json()
    assert ('{"title": "x"}', "/g==") == (shown["value"]["text"], shown["headers"][0]["value"]["base64"])
    assert 404 == (await running.reviewer.get(f"{LETTERS}/{UUID(int=99)}")).status_code


async def test_dead_letters_are_dropped_and_sent_again(running: Running, letters: list[str]) -> None:
    """Those of a filter, in bounded parts; those that are named; what cannot be done is said of each."""
    assert 403 == (await running.reviewer.post(f"{LETTERS}/drop", json={"filter": {}})).status_code
    dropped = (await running.admin.post(f"{LETTERS}/drop", json={"filter": {"stage": "decode"}, "limit": 3})).json()
    assert (3, [], True) == (dropped["done"], dropped["refused"], dropped["more"])
    rest = (await running.admin.post(f"{LETTERS}/drop", json={"filter": {"stage": "decode"}, "limit": 3})).json()
    assert (2, False) == (rest["done"], rest["more"])

    async with reader_client(running.bootstrap, PRODUCTS_IN, from_start=True) as reader:
        unknown = str(UUID(int=99))
        named = {"event_ids": [letters[1], letters[9], unknown], "why": "mended"}
        done = (await running.admin.post(f"{LETTERS}/retry", json=named)).json()
        assert (1, {letters[9], unknown}) == (done["done"], {one["event_id"] for one in done["refused"]})
        async for record in records(reader):
            if last_text(record.headers, EVENT_ID) == letters[1]:
                assert b'{"title": "x"}' == record.value
                break
    retried = (await running.reviewer.get(LETTERS, params={"state": "retried"})).json()
    assert [(letters[1], "admin", "mended")] == [
        (row["event_id"], row["actions"][0]["by"], row["actions"][0]["why"]) for row in retried["items"]
    ]
    actions = [action for _, action, _ in await running.audited()]
    assert ["dead_letter.drop", "dead_letter.drop", "dead_letter.retry"] == actions


async def test_figures_say_what_came_and_what_people_said(running: Running) -> None:
    """Counts by the topics' offsets, the rest from items; each part says what it was made from."""
    before = (await running.reviewer.get("/api/v1/figures")).json()
    async with producer_client(running.bootstrap) as producer:
        for _ in range(3):
            await producer.send_and_wait(PREDICTIONS_OUT, b"{}", key=b"p")
    now = utc_now()
    answer = {"category": {"code": "soups", "label": "Soups"}, "decided_by": "text"}
    items: list[dict[str, Any]] = [
        {
            "_id": str(UUID(int=number)),
            "product_id": f"p{number}",
            "product": {"published_at": now - timedelta(minutes=5)},
            "prediction": {
                **answer,
                "classified_at": now - timedelta(minutes=5) + timedelta(milliseconds=10 * number + 10),
                "confidence": number / 10,
                "needs_review": number < 4,
            },
        }
        for number in range(10)
    ]
    said = [("validated", None), ("corrected", "teas"), ("rejected", None), ("withdrawn", None)]
    for number, (verdict, code) in enumerate(said):
        items[number]["verdict"] = {"at": now, "verdict": verdict, "code": code}
    await running.store.collection(ITEMS).insert_many(items)
    running.parts.operation.figures.forget()
    figures = (await running.reviewer.get("/api/v1/figures")).json()
    assert {} == figures["away"]
    came = [sum(one["count"] for one in made["flow"]["predictions"]["hours"]) for made in (before, figures)]
    assert 3 == came[1] - came[0]
    assert (60, 24) == tuple(len(figures["flow"]["predictions"][part]) for part in ("minutes", "hours"))
    answers = figures["answers"]
    assert (50.0, 100.0, 4) == (answers["latency"]["p50_ms"], answers["latency"]["p95_ms"], answers["needs_review"])
    assert [("soups", 10)] == [(one["code"], one["count"]) for one in answers["classes"]]
    assert (10, True) == (sum(one["count"] for one in answers["confidence"]), answers["looked_at"]["complete"])
    (day,) = figures["verdicts"]["days"]
    assert (1, 1, 1, 0.5) == (day["validated"], day["corrected"], day["rejected"], day["accuracy"])
    assert 2 / 3 == pytest.approx(day["correction_rate"])
    assert {"items": 1, "more": False} == figures["waiting"]  # the verdict that was taken back


async def test_what_the_monitor_found_is_shown(running: Running, tmp_path: Path) -> None:
    """The newest of each kind, all of one kind by pages, and reports that can reach nothing of ours."""
    checks = [
        {"_id": f"{kind}-{day}", "kind": kind, "at": AT + timedelta(days=day), "model_version": "1"}
        | {"alert": day == 1, "causes": {"drift": "3 of 9"} if day == 1 else {}, "told": [], "share": day / 10}
        for day in range(3)
        for kind in ("drift", "canary")
    ]
    await running.store.collection(MONITOR).insert_many(checks)
    folder = tmp_path / "monitor" / "2026-11-22"
    folder.mkdir(parents=True)
    (folder / "drift.html").write_text("<script>1</script>")
    (folder / "drift.json").write_text('{"share": 0.1}')
    found = (await running.reviewer.get("/api/v1/drift")).json()
    assert [("drift", {"share": 0.2}), ("canary", {"share": 0.2})] == [
        (one["kind"], one["figures"]) for one in found["checks"]
    ]
    page = await running.reviewer.get(found["reports"][0]["html"])
    assert "<script>1</script>" == page.text
    assert page.headers["content-security-policy"].startswith("sandbox allow-scripts; default-src 'none'")
    assert {"share": 0.1} == (await running.reviewer.get(found["reports"][0]["json"])).json()
    assert 404 == (await running.reviewer.get("/api/v1/drift/reports/2026-11-21/drift")).status_code
    seen, cursor = list[bool](), None
    while True:
        params = {"kind": "drift", "limit": "1"} | ({"cursor": cursor} if cursor else {})
        answer = (await running.reviewer.get("/api/v1/drift/checks", params=params)).json()
        seen += [one["alert"] for one in answer["items"]]
        if (cursor := answer["next"]) is None:
            break
    assert [False, True, False] == seen
