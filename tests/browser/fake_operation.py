"""The routes of the API that operators' pages see."""

# ruff: noqa: ARG001, C901, E501 - a fake that mirrors its original
import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from tests.browser.fake_api import NOW, TAXONOMY, VERSION, Shop, problem


def operation(router: APIRouter, shop: Shop) -> None:
    """Add them."""

    def decision(version: str | None) -> dict[str, Any] | None:
        if version is None:
            return None
        return {"version": version, "name": "text", "previous": "20261120-090000-bbbbbb", "sequence": 4, "by": "admin",
                "why": "better", "at": NOW.isoformat(), "sha256": "0" * 64}  # fmt: skip

    @router.get("/models")
    async def models() -> Any:
        rows = [
            {"version": version, "state": "champion" if version == shop.champion else "previous" if at == 1 else "",
             "challenger": version == shop.challenger, "broken": None, "name": "text", "made": NOW.isoformat(),
             "rows": 67_000 + at, "metrics": {"accuracy": 0.81 - at / 50, "weighted_f1": 0.8 - at / 50, "ece": 0.02},
             "report": f"/api/v1/models/{version}/report"}
            for at, version in enumerate((VERSION, "20261120-090000-bbbbbb", "20261119-090000-cccccc"))
        ]  # fmt: skip
        return {"items": rows, "next": None, "champion": decision(shop.champion),
                "challenger": decision(shop.challenger), "untold": None, "pinned": False}  # fmt: skip

    @router.post("/models/rollback")
    async def rollback() -> Any:
        shop.champion = "20261120-090000-bbbbbb"
        return {"decision": decision(shop.champion), "untold": None, "pinned": False}

    @router.post("/models/{version}/promote")
    async def promote(version: str) -> Any:
        shop.champion = version
        return {"decision": decision(version), "untold": None, "pinned": False}

    @router.post("/models/shadow")
    async def shadow(request: Request) -> Any:
        shop.challenger = (await request.json())["version"]
        return {"decision": decision(shop.challenger), "untold": None, "pinned": False}

    @router.delete("/models/shadow")
    async def no_shadow() -> Any:
        shop.challenger = None
        return {"decision": None, "untold": None, "pinned": False}

    @router.get("/runs")
    async def runs() -> Any:
        return {"items": shop.runs, "next": None, "worker": "retrain@here"}

    @router.get("/runs/{number}")
    async def run(number: int) -> Any:
        found = next(one for one in shop.runs if one["id"] == number)
        line = {"at": NOW.isoformat(), "said": "fit: epoch 3 of 8, loss 0.412"}
        more = {
            "figures": {"corrections": 312},
            "set_version": "s-12",
            "decision": None,
            "log": [line],
            "log_next": "1",
        }
        return found | more

    @router.get("/live")
    async def live() -> StreamingResponse:
        async def events() -> AsyncIterator[str]:
            for number in range(200):
                one = shop.items[number % len(shop.items)]
                data = {"prediction": one["prediction"], "passed_over": 0}
                yield f"event: prediction\ndata: {json.dumps(data)}\n\n"
                await asyncio.sleep(0.3)

        return StreamingResponse(events(), media_type="text/event-stream")

    @router.get("/dead-letters")
    async def dead_letters() -> Any:
        at = NOW - timedelta(minutes=3)
        one = {"event_id": shop.items[0]["event_id"], "product_id": "B-1", "stage": "decode", "error_class": "record-invalid",
               "message": "title: Input should be a valid string", "attempts": 1, "at": at.isoformat(), "state": "open",
               "topic": "products.in", "partition": 3, "offset": 42, "actions": []}  # fmt: skip
        return {"items": [one], "next": None}

    @router.get("/figures")
    async def figures() -> Any:
        if "figures" in shop.away:
            return problem(503, "store-unavailable", "The store is away.", retryable=True)

        def rates(number: int, step: timedelta, scale: int) -> list[dict[str, Any]]:
            start = NOW - number * step
            return [{"since": (start + at * step).isoformat(), "count": scale * (at * 7 % 11)} for at in range(number)]

        def series(scale: int) -> dict[str, Any]:
            return {
                "minutes": rates(60, timedelta(minutes=1), scale),
                "hours": rates(24, timedelta(hours=1), 60 * scale),
            }

        looked = {"since": NOW.isoformat(), "until": NOW.isoformat(), "of": 5_000, "complete": False}
        bins = [
            {
                "low": at / 10,
                "high": (at + 1) / 10,
                "count": 40 * at * at,
                "needs_review": 30 * at * at if at < 6 else 0,
            }
            for at in range(10)
        ]
        days = [
            {"day": (NOW - timedelta(days=14 - at)).isoformat(), "validated": 80, "corrected": 20, "rejected": 1,
             "accuracy": 0.74 + at * 0.011, "correction_rate": 0.26 - at * 0.011}
            for at in range(14)
        ]  # fmt: skip
        classes = [
            {"code": code, "label": TAXONOMY.category(code, "en").label, "count": 900 // (at + 1)}
            for at, code in enumerate(TAXONOMY.codes)
        ]
        change = {"at": (NOW - timedelta(days=6)).isoformat(), "version": VERSION, "by": "retrain"}
        lag = {"topic": "products.in", "partition": 0, "lag": 12}
        return {
            "at": NOW.isoformat(),
            "flow": {"predictions": series(9), "dead_letters": series(1),
                     "groups": [{"group": "aisle-classify", "lag": 12, "partitions": [lag]}]},
            "answers": {"latency": {"p50_ms": 41.2, "p95_ms": 103.9, "looked_at": looked}, "confidence": bins,
                        "classes": classes, "needs_review": 700, "looked_at": looked},
            "verdicts": {"days": days, "accuracy": 0.84, "correction_rate": 0.16, "model_changes": [change],
                         "looked_at": looked},
            "waiting": {"items": 348, "more": False},
            "away": {},
        }  # fmt: skip

    @router.get("/models/compare")
    async def compare(a: str, b: str) -> Any:
        def model(version: str, by: float) -> dict[str, Any]:
            return {"name": "text", "version": version, "data_file": "base.csv", "data_rows": 67_000, "categories": 27,
                    "stages": ["text"], "bundle_bytes": 48_000_000, "rows_per_s": {},
                    "metrics": {"accuracy": 0.8 + by, "weighted_f1": 0.79 + by}}  # fmt: skip

        recall = {"code": "10", "label": "foreign and adult books", "rows": 310, "first": 0.51, "second": 0.58}
        return {"first": model(a, 0), "second": model(b, 0.01), "same_rows": False, "recalls": [recall], "shadow": None,
                "no_shadow": None}  # fmt: skip

    @router.get("/drift")
    async def drift() -> Any:
        check = {"kind": "drift", "at": NOW.isoformat(), "model_version": VERSION, "alert": True, "figures": {}}
        return {"checks": [check | {"causes": {"title": "0.14 of the titles are of another kind"}}],
                "reports": [{"day": "2026-11-22", "name": "drift", "html": "", "json": ""}]}  # fmt: skip

    @router.post("/predictions/bulk")
    async def bulk(request: Request) -> Any:
        async with request.form() as form:
            name = str(getattr(form["file"], "filename", ""))
        job = {"id": "j1", "owner": "customer", "state": "done", "file": name, "rows": 120, "answered": 120, "failed": 3,
               "asked_at": NOW.isoformat(), "started_at": NOW.isoformat(), "ended_at": NOW.isoformat(), "outcome": "",
               "result": "/api/v1/jobs/j1/result"}  # fmt: skip
        shop.jobs.append(job)
        return job

    @router.get("/jobs")
    async def jobs() -> Any:
        return {"items": shop.jobs, "next": None}

    @router.get("/jobs/{number}/result")
    async def result(number: str) -> Response:
        return Response("row,code\n2,10\n", media_type="text/csv")
