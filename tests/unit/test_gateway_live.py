"""The live feed: what is told of predictions that come, to whom, and when it ends."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from schemas.http.account import Role
from schemas.ids import CANARY
from schemas.prediction import Category, ModelRef, Prediction
from schemas.topics import PREDICTIONS_OUT, PRODUCTS_DLQ
from tests.gateway import client, gateway
from tests.records import record
from workers.gateway.api.live import stream
from workers.gateway.errors import Busy
from workers.gateway.operation import live
from workers.gateway.operation.live import A_SECOND, Live, Wanted
from workers.gateway.road.answers import Answers


def _value(number: int, **fields: Any) -> bytes:
    given: dict[str, Any] = {
        "event_id": str(UUID(int=number)),
        "product_id": f"p{number}",
        "category": Category(code="soups" if number % 2 else "teas", label="x"),
        "confidence": 0.9,
        "top": [],
        "needs_review": number % 3 == 0,
        "decided_by": "text",
        "modalities": ["title"],
        "model": ModelRef(name="aisle", version="1"),
        "classified_at": datetime(2026, 11, 21, tzinfo=UTC),
    }
    return Prediction(**(given | fields)).model_dump_json().encode()


async def _yes() -> bool:
    return True


async def _told(wanted: Wanted, records: Sequence[Any], count: int) -> list[dict[str, Any]]:
    """The first messages that somebody gets of these records."""
    answers = Answers(10)
    feed = Live(answers)
    told = list[dict[str, Any]]()
    async with asyncio.timeout(10):
        text = stream(feed, wanted, _yes)
        await anext(text)
        reading = asyncio.ensure_future(anext(text))
        while not answers._feeds:
            await asyncio.sleep(0)
        answers._take(records)
        while True:
            told.append(json.loads((await reading).split("data: ")[1]))
            if len(told) == count:
                await text.aclose()
                return told
            reading = asyncio.ensure_future(anext(text))


async def test_each_is_told_what_he_wants_to_see() -> None:
    """By category and need of review; canaries, dead letters and what is no prediction are nobody's."""
    records = [record(_value(number), topic=PREDICTIONS_OUT, offset=number) for number in range(4)]
    records += [
        record(b"{", topic=PREDICTIONS_OUT, offset=4),
        record(_value(5, product_id=CANARY + "1"), topic=PREDICTIONS_OUT, offset=5),
        record(_value(7), topic=PRODUCTS_DLQ, offset=0),
        record(_value(9), topic=PREDICTIONS_OUT, offset=6),
    ]
    (one,) = await _told(Wanted(needs_review=True, category="teas"), records, 1)
    assert (str(UUID(int=0)), "teas", True) == (
        one["prediction"]["event_id"],
        one["prediction"]["category"]["code"],
        one["prediction"]["needs_review"],
    )
    soups = await _told(Wanted(category="soups", needs_review=True), records, 2)
    assert ["p3", "p9"] == [one["prediction"]["product_id"] for one in soups]


async def test_what_comes_too_fast_is_counted() -> None:
    """A tick's share of the newest is told; the rest is a number, also what the feed had no room for."""
    records = [record(_value(number), topic=PREDICTIONS_OUT, offset=number) for number in range(3_000)]
    told = await _told(Wanted(), records, A_SECOND // 10)
    # The queue holds the first thousand; offsets tell of the rest only once a later one comes.
    assert ["p998", "p999"] == [one["prediction"]["product_id"] for one in told]
    assert 998 == sum(one["passed_over"] for one in told)


async def test_gaps_in_offsets_were_passed_over() -> None:
    """What the queue dropped is known by the next record."""
    records = [record(_value(number), topic=PREDICTIONS_OUT, offset=number) for number in (3, 11)]
    told = await _told(Wanted(), records, 2)
    assert [7, 0] == [one["passed_over"] for one in told]


async def test_the_stream_ends_with_the_right_to_it() -> None:
    """Asked at each heartbeat: who has signed out sees no more, and nothing is read for nobody."""
    answers, asked = Answers(10), iter([True, False])
    feed = Live(answers)

    async def still() -> bool:
        return next(asked)

    text = [part async for part in stream(feed, Wanted(), still, heartbeat_s=0.01)]
    assert ["retry: 3000\n\n", ": here\n\n", "event: end\ndata: {}\n\n"] == text
    while answers._feeds:
        await asyncio.sleep(0)


async def test_too_many_are_sent_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a problem, before the stream begins; customers may not look on at all."""
    monkeypatch.setattr(live, "MOST", 1)
    app, parts = gateway(tmp_path)
    async with parts.operation.live.watching(Wanted()), client(app, Role.REVIEWER) as calls:
        with pytest.raises(Busy):
            parts.operation.live.check_room()
        assert 503 == (await calls.get("/api/v1/live")).status_code
    async with client(app, Role.CUSTOMER) as calls:
        assert 403 == (await calls.get("/api/v1/live")).status_code
