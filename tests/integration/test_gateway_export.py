"""Exports on a real store, over HTTP and by the command, and predictions that a person has judged."""

import asyncio
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pyarrow import parquet

from infra.process import settings_variables
from infra.settings import Settings, load_settings
from infra.store import FEEDBACK, ITEMS, Store
from schemas.http.account import Role
from scripts.export import command
from tests.gateway import client, gateway
from tests.integration.archived import AT, event, item, verdict
from tests.integration.conftest import Services
from workers.gateway.export import source

pytestmark = pytest.mark.integration

EXPORT = "/api/v1/export"


async def fill(store: Store) -> None:
    """Two items of one model, one of another, one of the monitor's, and what was said of them."""
    other = item(3)["prediction"] | {"model": {"name": "m", "version": "2"}}
    corrected = item(2, verdict=verdict("corrected", code="teas"))
    documents = [item(1), corrected, item(3, prediction=other), item(4, product_id="aisle-canary-4")]
    await store.collection(ITEMS).insert_many(documents)
    said: list[dict[str, Any]] = [
        {"_id": f"f{number}", "event_id": event(number), "verdict": "rejected", "by": "ana", "at": AT, "note": "=1"}
        for number in (2, 3, 4, 9)
    ]
    said.append({"_id": "p", "event_id": None, "product_id": "p7", "verdict": "withdrawn", "by": "ana", "at": AT})
    await store.collection(FEEDBACK).insert_many(said)


async def test_a_table_is_sent_in_every_format(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All rows, however many batches they take; by model and time; never the monitor's own."""
    await fill(store)
    monkeypatch.setattr(source, "BATCH", 2)
    app, _ = gateway(tmp_path, store)
    async with client(app, Role.REVIEWER) as calls:

        async def rows(what: str, kind: str = "jsonl", **asked: str) -> list[dict[str, Any]]:
            answer = await calls.get(EXPORT, params={"what": what, "format": kind} | asked)
            assert 200 == answer.status_code
            assert f".{kind}" in answer.headers["content-disposition"]
            if kind == "parquet":
                return list(parquet.read_table(io.BytesIO(answer.content)).to_pylist())
            if kind == "csv":
                return list(csv.DictReader(io.StringIO(answer.text, newline="")))
            return [json.loads(line) for line in answer.text.splitlines()]

        for kind in ("csv", "jsonl", "parquet"):
            found = await rows("items", kind)
            assert {event(1): "soups", event(2): "teas", event(3): "soups"} == {r["event_id"]: r["code"] for r in found}
            assert {"f2", "f3", "f9", "p"} == {row["feedback_id"] for row in await rows("verdicts", kind)}
        assert [event(3)] == [row["event_id"] for row in await rows("items", model_version="2")]
        assert ["f3"] == [row["feedback_id"] for row in await rows("verdicts", model_version="2")]
        assert [event(3)] == [row["event_id"] for row in await rows("items", **{"from": "2026-11-21T12:03:00Z"})]
        assert [] == await rows("verdicts", **{"from": "2026-11-21T12:03:00Z"})
        assert 422 == (await calls.get(EXPORT, params={"what": "users"})).status_code
    async with client(app, Role.CUSTOMER) as calls:
        assert 403 == (await calls.get(EXPORT)).status_code


async def test_a_store_that_is_away_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    """As a problem, and not as an empty file."""
    app, parts = gateway(tmp_path)
    async with client(app, Role.REVIEWER) as calls:
        answer = await calls.get(EXPORT)
    parts.store.close()
    assert (503, "application/problem+json") == (answer.status_code, answer.headers["content-type"])


async def test_the_command_writes_what_can_be_read_back(
    services: Services, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file has its name once it is whole; another ending is wrong usage."""
    await fill(store)
    database = store.collection(ITEMS).database.name
    settings = Settings(data_dir=tmp_path, mongodb_uri=services.mongodb_uri, mongodb_database=database)
    for name, value in settings_variables(settings).items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    try:
        file = tmp_path / "verdicts.csv"
        done = await asyncio.to_thread(CliRunner().invoke, command, ["verdicts", str(file)])
        assert (0, f"4 verdicts in {file}") == (done.exit_code, done.output.strip())
        with file.open(newline="", encoding="utf-8") as opened:
            assert {"'=1", ""} == {row["note"] for row in csv.DictReader(opened)}
        wrong = await asyncio.to_thread(CliRunner().invoke, command, ["items", str(tmp_path / "a.xlsx")])
        assert 2 == wrong.exit_code
        assert not list(tmp_path.glob(".*.part"))  # noqa: ASYNC240 - a look at a small folder
    finally:
        load_settings.cache_clear()


async def test_a_prediction_that_was_judged_is_the_reviewers(store: Store, tmp_path: Path) -> None:
    """As readers of predictions.out are told: a corrected one is sure, a rejected one needs review."""
    mine = item(1)["product"] | {"submitted_by": "customer"}
    await store.collection(ITEMS).insert_many(
        [
            item(1, product=mine, verdict=verdict("corrected", code="teas")),
            item(2, product=mine, verdict=verdict("rejected")),
            item(3, product=mine),
            item(4, verdict=verdict("corrected", code="teas")),
        ]
    )
    app, _ = gateway(tmp_path, store)
    async with client(app, Role.CUSTOMER) as calls:
        told = [await calls.get(f"/api/v1/predictions/{event(number)}") for number in (1, 2, 3, 4)]

    assert [200, 200, 200, 404] == [one.status_code for one in told]
    shown = [one.json() for one in told[:3]]
    assert [("teas", 1.0, "reviewer", False), ("soups", 0.02, "reviewer", True), ("soups", 0.03, "text", True)] == [
        (one["category"]["code"], one["confidence"], one["decided_by"], one["needs_review"]) for one in shown
    ]
