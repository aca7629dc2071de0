"""What reviewers get, on a real store: the least sure first, to one of them at a time."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from infra.store import ITEMS, Store
from schemas.http.account import Role
from tests.gateway import client
from tests.integration.archived import event, item, verdict
from tests.integration.conftest import Services
from tests.integration.review.desk import CLAIM, NEXT, PROGRESS, RELEASE, VERDICTS, Desk, row
from workers.gateway.review import queue as queue_module
from workers.gateway.review.claims import Claims
from workers.gateway.review.queue import QueueChoice, ReviewQueue

pytestmark = pytest.mark.integration


async def test_the_least_sure_come_first_and_only_a_products_newest(desk: Desk) -> None:
    """Nothing that was judged or is sure, no product of the monitor's; what was taken back comes again."""
    await desk.put(
        item(5),
        item(3),
        item(1, verdict=verdict("validated")),
        item(2, verdict=verdict("withdrawn")),
        item(4, product_id="p3"),  # newer than 3
        item(7, product_id="aisle-canary-7"),
        item(8, product=None),
        item(60),
    )

    assert [2, 4, 5] == await desk.next(desk.ana, 10)
    assert [] == await desk.next(desk.ana, 10), "what one has is not given again"


async def test_a_product_that_was_sent_often_hides_no_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if more of its items wait than are kept at hand."""
    monkeypatch.setattr(queue_module, "POOL", 4)
    await desk.put(*(item(number, product_id="often") for number in range(1, 20)), item(30))

    assert [19, 30] == await desk.next(desk.ana, 3)


async def test_filters_are_by_what_was_predicted(desk: Desk) -> None:
    """Category, theme and model version."""
    other = item(3)["prediction"] | {"model": {"name": "m", "version": "2"}}
    drinks = item(2)["prediction"] | {"category": {"code": "teas", "label": "Teas", "theme": "Drinks"}}
    await desk.put(item(1), item(2, prediction=drinks), item(3, prediction=other))

    assert [3] == await desk.next(desk.ana, 9, model_version="2")
    assert [2] == await desk.next(desk.ana, 9, theme="Drinks")
    assert [1] == await desk.next(desk.ana, 9, category="soups")


async def test_two_reviewers_at_once_never_get_the_same_item(desk: Desk) -> None:
    """However many ask at the same time, each item goes to one of them."""
    await desk.put(*(item(number) for number in range(40)))

    got = await asyncio.gather(*(desk.next(who, 4) for _ in range(5) for who in (desk.ana, desk.bob)))
    every = [number for some in got for number in some]
    assert sorted(every) == list(range(40))

    desk.clock.now += timedelta(minutes=11)
    again = await asyncio.gather(*(desk.next(who, 20) for who in (desk.ana, desk.bob)))
    assert list(range(40)) == sorted(number for some in again for number in some), "nor when claims are over"


async def test_reviewers_at_several_gateways_never_get_the_same_item(desk: Desk, services: Services) -> None:
    """Each gateway is a client of the store of its own; also where claims are over, released or named."""
    name = desk.store.collection(ITEMS).database.name
    stores = [Store(services.mongodb_uri, name) for _ in range(3)]
    claims = [Claims(store) for store in stores]
    desks = [ReviewQueue(store, one) for store, one in zip(stores, claims, strict=True)]
    ids = [event(number) for number in range(30)]
    await desk.put(*(item(number) for number in range(30)))

    for _ in range(3):
        got = await asyncio.gather(
            *(queue.next(f"{at}-{turn}", 4, QueueChoice()) for at, queue in enumerate(desks) for turn in range(4))
        )
        assert sorted(ids) == sorted(one["_id"] for some in got for one in some)
        desk.clock.now += timedelta(minutes=11)
        named = await asyncio.gather(*(queue.claim(f"named-{at}", ids) for at, queue in enumerate(desks)))
        assert sorted(ids) == sorted(one for some in named for one in some)
        await asyncio.gather(*(one.release(f"named-{at}") for at, one in enumerate(claims)))
    for store in stores:
        store.close()


async def test_progress_counts_the_day_and_what_waits(desk: Desk) -> None:
    """Mine, all people's, and how many wait; a day begins where the reviewer is."""
    at = datetime.now(UTC)
    await desk.put(
        item(1, verdict=verdict("validated", at=at, by="ana")),
        item(2, verdict=verdict("rejected", at=at, by="bob")),
        item(3, verdict=verdict("withdrawn", at=at, by="ana")),
        item(4, verdict=verdict("validated", at=at - timedelta(days=2), by="ana")),
        item(5),
        item(70),
    )
    day = (at - timedelta(hours=1)).isoformat()

    told = (await desk.ana.get(PROGRESS, params={"from": day})).json()
    assert {"today": 1, "today_all": 2, "waiting": 2, "more_waiting": False} == told
    assert 0 == (await desk.ana.get(PROGRESS, params={"from": day, "theme": "Drinks"})).json()["waiting"]


async def test_similar_items_share_most_words_or_the_content(desk: Desk) -> None:
    """Waiting, of the same predicted category, products' newest, and before no other reviewer; most alike first."""

    def titled(number: int, title: str | None, code: str = "soups", **parts: Any) -> dict[str, Any]:
        return item(number, code, product=item(1)["product"] | {"title": title}, **parts)

    await desk.put(
        titled(1, "Red lentil soup, 500 g"),
        titled(2, "red LENTIL soup 500 ml"),
        titled(3, "Red lentil soup, 500 g"),
        titled(4, "Green tea"),
        titled(5, "Red lentil soup, 500 g", "teas"),
        titled(6, "Red lentil soup, 500 g", verdict=verdict("validated")),
        titled(7, "Red lentil soup 500 g"),
        titled(8, None),
        titled(9, "Red lentil soup, 500 g", product_id="p10"),  # older than 10
        titled(10, "Green tea", product_id="p10"),
    )

    async def similar(**asked: Any) -> list[int]:
        answer = await desk.ana.get(f"/api/v1/items/{event(1)}/similar", params=asked)
        return [UUID(one["event_id"]).int for one in answer.json()["items"]]

    assert [3, 7, 2] == await similar()
    assert [3] == await similar(limit=1)
    assert [1] == await desk.next(desk.bob)
    await desk.say(desk.bob, row(7, "validated"))
    assert [3, 2] == await similar()


async def test_customers_review_nothing(desk: Desk) -> None:
    """Neither the queue nor verdicts are theirs."""
    await desk.put(item(1))
    async with client(desk.app, Role.CUSTOMER) as customer:
        for path, body in (
            (NEXT, {}),
            (CLAIM, {"event_ids": [event(1)]}),
            (RELEASE, {}),
            (VERDICTS, {"verdicts": [row(1, "validated")]}),
        ):
            assert 403 == (await customer.post(path, json=body)).status_code
        for path in (PROGRESS, f"/api/v1/items/{event(1)}/similar"):
            assert 403 == (await customer.get(path)).status_code
    assert [] == desk.topic.given
