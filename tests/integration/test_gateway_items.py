"""Items over HTTP, on a real store: looked for, looked at, removed, and nobody sees what is another's."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import httpx
import pytest
from PIL import Image

from infra.photos import Photos
from infra.store import AUDIT, ITEMS, Store
from schemas.http.account import Role
from tests.gateway import client, gateway
from tests.integration.archived import AT, event, item, verdict
from workers.gateway.export import source
from workers.gateway.items import find
from workers.gateway.parts import Parts
from workers.gateway.review import similar

pytestmark = pytest.mark.integration

ITEMS_PATH = "/api/v1/items"


def jpeg() -> bytes:
    """A small photo."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(file, "JPEG")
    return file.getvalue()


@dataclass(frozen=True)
class Shop:
    """A gateway with a store, and who calls it."""

    parts: Parts
    store: Store
    reviewer: httpx.AsyncClient
    admin: httpx.AsyncClient
    customer: httpx.AsyncClient

    async def put(self, *documents: dict[str, Any]) -> None:
        """Archive items."""
        await self.store.collection(ITEMS).insert_many(list(documents))

    async def found(self, **asked: Any) -> list[int]:
        """The numbers of the items that a reviewer finds."""
        answer = await self.reviewer.get(ITEMS_PATH, params=asked)
        assert 200 == answer.status_code, answer.text
        return [UUID(one["event_id"]).int for one in answer.json()["items"]]


@pytest.fixture
async def shop(store: Store, tmp_path: Path) -> AsyncIterator[Shop]:
    """A gateway that knows three categories."""
    taxonomy = tmp_path / "taxonomy.csv"
    taxonomy.write_text("code,label,theme\nsoups,Soups,Food\nteas,Teas,Drinks\njams,Jams,Food\n", encoding="utf-8")
    photos = tmp_path / "photos"
    photos.mkdir()
    app, parts = gateway(tmp_path, store, taxonomy=taxonomy)
    parts = app.state.parts = replace(parts, photos=Photos([str(photos)], parts.images))
    async with (
        client(app, Role.REVIEWER) as reviewer,
        client(app, Role.ADMIN) as admin,
        client(app, Role.CUSTOMER) as customer,
    ):
        yield Shop(parts, store, reviewer, admin, customer)
    parts.photos.close()


async def test_items_are_found_by_what_is_asked(shop: Shop) -> None:
    """State, category and theme in force, confidence, model, time, product, text; newest or least sure first."""
    await shop.put(
        item(1),
        item(2, verdict=verdict("corrected", code="teas")),
        item(3, verdict=verdict("withdrawn")),
        item(60, "jams", prediction=item(60, "jams")["prediction"] | {"model": {"name": "m", "version": "2"}}),
        {"_id": event(70), "dead_letter": {"at": AT, "attempts": 1, **_letter(), "value": b"x" * 1_000}},
        item(80, product_id="aisle-canary-1"),
    )

    assert [60, 3, 2, 1, 70] == await shop.found()
    assert [1, 2, 3, 60] == await shop.found(order="unsure")
    assert [3, 1] == await shop.found(state="pending")
    assert [2] == await shop.found(state="judged")
    assert [70] == await shop.found(state="dead-letter")
    assert [3, 1] == await shop.found(category="soups")
    assert [2] == await shop.found(category="teas") == await shop.found(theme="Drinks")
    assert [60, 3, 1] == await shop.found(theme="Food")
    assert [3, 2] == await shop.found(min_confidence=0.02, max_confidence=0.59)
    assert [60] == await shop.found(model_version="2")
    assert [2] == await shop.found(**{"from": "2026-11-21T12:02:00Z", "to": "2026-11-21T13:03:00+01:00"})
    assert [2] == await shop.found(product_id="p2")
    assert [3] == await shop.found(text="DUCT 3")
    assert [80] == await shop.found(product_id="aisle-canary-1"), "the monitor's own only when asked for"


def _letter() -> dict[str, Any]:
    return {
        "topic": "products.in",
        "partition": 0,
        "offset": 1,
        "timestamp_ms": 0,
        "stage": "decode",
        "error_class": "X",
        "message": "bad",
    }


async def test_pages_hold_every_item_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """In both orders, with equal times, items without a product, and a search that looks at a few at a time."""
    same = item(1)["product"]
    await shop.put(
        *(item(number, product=same) for number in range(1, 6)),
        item(6),
        *({"_id": event(number), "prediction": item(number)["prediction"]} for number in (7, 8)),
    )
    monkeypatch.setattr(find, "LONGEST_SCAN", 3)

    async def walk(**asked: Any) -> list[int]:
        seen: list[int] = []
        cursor = None
        for _ in range(20):
            answer = (await shop.reviewer.get(ITEMS_PATH, params=asked | ({"cursor": cursor} if cursor else {}))).json()
            seen += [UUID(one["event_id"]).int for one in answer["items"]]
            cursor = answer["next"]
            if cursor is None:
                return seen
        raise AssertionError(seen)

    assert [6, 5, 4, 3, 2, 1, 8, 7] == await walk(limit=2)
    assert [1, 2, 3, 4, 5, 6, 7, 8] == await walk(limit=2, order="unsure")
    assert [4, 3, 2] == await walk(limit=1, min_confidence=0.02, max_confidence=0.04)
    assert [6] == await walk(limit=5, text="product 6")


@pytest.mark.parametrize("text", [".*", "(", "\x00", "$ne", "<script>", "%00", "a" * 200, "\ufdfa", "{$gt: ''}"])
async def test_a_search_takes_every_text_for_itself(shop: Shop, text: str) -> None:
    """No character steers the search: it finds the items that hold the text, and no others."""
    await shop.put(item(1), item(2, product=item(2)["product"] | {"title": f"it is {text}!"}))

    assert [2] == await shop.found(text=text)


OPERATORS = ['{"$ne": null}', "[$ne]", "$where"]


@pytest.mark.parametrize("name", ["category", "theme", "model_version", "product_id"])
async def test_operators_in_a_query_are_text(shop: Shop, name: str) -> None:
    """A field asks for exactly what it says, whatever a database would make of it."""
    await shop.put(item(1))

    for text in OPERATORS:
        assert [] == await shop.found(**{name: text})
        answer = await shop.reviewer.get(f"{ITEMS_PATH}?{name}[$ne]=x")
        assert (200, 1) == (answer.status_code, len(answer.json()["items"])), "an unknown name asks nothing"


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJhIl0", "WyJfaWQiLCJ4IiwieSJd", "A" * 1_000])
async def test_a_cursor_that_is_made_up_is_refused(shop: Shop, cursor: str) -> None:
    """As a problem with the request, in every list."""
    for path in (ITEMS_PATH, "/api/v1/audit"):
        answer = await shop.admin.get(path, params={"cursor": cursor})
        assert answer.status_code == 422 or (path.endswith("audit") and cursor == "WyJhIl0")


async def test_an_item_tells_the_decision_in_force(shop: Shop) -> None:
    """The reviewer's word stands above the prediction, which is told as it was."""
    await shop.put(
        item(1, verdict=verdict("corrected", code="teas", note="!")),
        item(2, verdict=verdict("rejected")),
        item(3, verdict=verdict("validated")),
        item(4),
    )

    told = [(await shop.reviewer.get(f"{ITEMS_PATH}/{event(number)}")).json() for number in (1, 2, 3, 4)]
    assert ["judged", "judged", "judged", "pending"] == [one["state"] for one in told]
    assert {"code": "teas", "label": "Teas", "theme": "Drinks"} == told[0]["decision"]["category"]
    assert ("soups", 0.01) == (told[0]["prediction"]["category"]["code"], told[0]["prediction"]["confidence"])
    assert ("ada", "!", "teas") == tuple(told[0]["verdict"][name] for name in ("by", "note", "code"))
    assert [None, "soups", "soups"] == [(one["decision"]["category"] or {}).get("code") for one in told[1:]]
    assert ["reviewer"] * 3 + ["text"] == [one["decision"]["decided_by"] for one in told]


async def test_an_item_is_not_sent_twice(shop: Shop) -> None:
    """Its entity tag is that of what it says: the same until somebody judges it."""
    await shop.put(item(1))
    path = f"{ITEMS_PATH}/{event(1)}"
    tag = (await shop.reviewer.get(path)).headers["etag"]

    assert 304 == (await shop.reviewer.get(path, headers={"If-None-Match": tag})).status_code
    await shop.store.collection(ITEMS).update_one({"_id": event(1)}, {"$set": {"verdict": verdict("rejected")}})
    assert 200 == (await shop.reviewer.get(path, headers={"If-None-Match": tag})).status_code


async def test_a_customer_sees_own_items_only(shop: Shop) -> None:
    """Another's is not there at all; who judged an own one is not told."""
    mine = item(1)["product"] | {"submitted_by": "customer"}
    await shop.put(item(1, product=mine, verdict=verdict("rejected", note="no")), item(2), item(3, product=None))

    listed = (await shop.customer.get(ITEMS_PATH)).json()["items"]
    assert [event(1)] == [one["event_id"] for one in listed]
    assert (None, None, "rejected") == tuple(listed[0]["verdict"][name] for name in ("by", "note", "verdict"))
    for number, expected in ((1, 200), (2, 404), (3, 404), (9, 404)):
        assert expected == (await shop.customer.get(f"{ITEMS_PATH}/{event(number)}")).status_code
        assert 404 == (await shop.customer.get(f"{ITEMS_PATH}/{event(number)}/photo")).status_code
        assert 403 == (await shop.customer.delete(f"{ITEMS_PATH}/{event(number)}")).status_code
    assert 422 == (await shop.customer.get(f"{ITEMS_PATH}/%24ne")).status_code


async def test_a_photo_is_sent_as_what_its_bytes_are(shop: Shop, tmp_path: Path) -> None:
    """From the image store for good, from elsewhere for a while; nothing that is no photo, whatever it says."""
    photo, digest = jpeg(), sha256(jpeg()).hexdigest()
    script = b"<html><script>alert(1)</script></html>"
    bad = sha256(script).hexdigest()
    for name, content in ((digest, photo), (bad, script)):
        shop.parts.images.put(name, content)
    (tmp_path / "photos" / "a.html").write_bytes(photo)
    images = {
        1: {"sha256": digest, "media_type": "text/html", "bytes": len(photo)},
        2: {"uri": "a.html"},
        3: {"sha256": bad, "media_type": "image/jpeg", "bytes": len(script)},
        4: {"uri": "../taxonomy.csv"},
        5: {"uri": "gone.jpg"},
        6: {"error": "the photo is not valid base64", "media_type": None},
        7: {"uri": f"sha256:{digest}"},
    }
    await shop.put(*(item(number, product=item(number)["product"] | {"image": one}) for number, one in images.items()))

    got = {number: await shop.reviewer.get(f"{ITEMS_PATH}/{event(number)}/photo") for number in images}
    assert {1: 200, 2: 200, 3: 422, 4: 422, 5: 404, 6: 404, 7: 200} == {n: one.status_code for n, one in got.items()}
    for number, immutable in ((1, True), (2, False), (7, True)):
        one = got[number]
        assert (photo, "image/jpeg", "nosniff") == (
            one.content,
            one.headers["content-type"],
            one.headers["x-content-type-options"],
        )
        assert immutable == ("immutable" in one.headers["cache-control"])
        assert "private" in one.headers["cache-control"]
    again = {"If-None-Match": got[1].headers["etag"]}
    assert 304 == (await shop.reviewer.get(f"{ITEMS_PATH}/{event(1)}/photo", headers=again)).status_code


async def test_no_list_reads_what_makes_products_large(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attributes may have 1 MiB an item: the item itself has them; lists, the queue and files do without."""
    large = item(1)["product"] | {"title": "Lentil soup", "attributes": [{"name": "brand", "value": "Acme"}]}
    await shop.put(item(1, product=large), item(2, product=large))
    read: list[bool] = []

    def spied(module: ModuleType, name: str, at: int) -> None:
        function = getattr(module, name)

        def spy(*given: Any) -> Any:
            read.append("attributes" in given[at]["product"])
            return function(*given)

        monkeypatch.setattr(module, name, spy)

    spied(similar, "_likeness", 2)
    spied(source, "item_row", 0)
    one = (await shop.reviewer.get(f"{ITEMS_PATH}/{event(1)}")).json()
    lists = [
        (await shop.reviewer.get(ITEMS_PATH)).json(),
        (await shop.reviewer.get(f"{ITEMS_PATH}/{event(1)}/similar")).json(),
        (await shop.reviewer.post("/api/v1/review/next", json={"count": 2})).json(),
    ]
    assert 200 == (await shop.reviewer.get("/api/v1/export")).status_code
    assert {"brand": "Acme"} == one["product"]["attributes"]
    assert [[None] * 2, [None], [None] * 2] == [
        [each["product"]["attributes"] for each in some["items"]] for some in lists
    ]
    assert [False] * 3 == read


async def test_a_customer_sees_photos_whose_bytes_came(shop: Shop, tmp_path: Path) -> None:
    """And none that an own product only names, unless a setting lets customers name them."""
    photo, digest = jpeg(), sha256(jpeg()).hexdigest()
    shop.parts.images.put(digest, photo)
    (tmp_path / "photos" / "secret.jpg").write_bytes(photo)
    images: list[dict[str, Any]] = [{"uri": "secret.jpg"}, {"uri": f"sha256:{digest}"}, {"sha256": digest, "bytes": 9}]
    own = item(1)["product"] | {"submitted_by": "customer"}
    await shop.put(*(item(number, product=own | {"image": one}) for number, one in enumerate(images)))

    async def seen(calls: httpx.AsyncClient) -> list[tuple[int, bool]]:
        paths = [f"{ITEMS_PATH}/{event(number)}" for number in range(3)]
        links = [(await calls.get(path)).json()["product"]["photo"]["link"] is not None for path in paths]
        return [((await calls.get(f"{path}/photo")).status_code, link) for path, link in zip(paths, links, strict=True)]

    assert [(404, False), (200, True), (200, True)] == await seen(shop.customer)
    assert [(200, True)] * 3 == await seen(shop.reviewer)
    allowed, parts = gateway(tmp_path, shop.store, gateway_photo_uris=True)
    allowed.state.parts = replace(parts, photos=shop.parts.photos)
    async with client(allowed, Role.CUSTOMER) as customer:
        assert [(200, True)] * 3 == await seen(customer)


async def test_a_removed_item_is_gone_with_its_photo_unless_another_has_it(shop: Shop) -> None:
    """It is noted who removed it; removed again, there is none."""
    digest = sha256(jpeg()).hexdigest()
    shop.parts.images.put(digest, jpeg())
    image = {"sha256": digest, "media_type": None, "bytes": 1}
    await shop.put(
        item(1, product=item(1)["product"] | {"image": image}),
        item(2, product=item(2)["product"] | {"image": {"uri": f"sha256:{digest}"}}),
    )

    for number, there in ((1, True), (2, False)):
        assert 403 == (await shop.reviewer.delete(f"{ITEMS_PATH}/{event(number)}")).status_code
        assert 204 == (await shop.admin.delete(f"{ITEMS_PATH}/{event(number)}")).status_code
        assert there == shop.parts.images.path(digest).exists()
        assert 404 == (await shop.admin.delete(f"{ITEMS_PATH}/{event(number)}")).status_code
    noted = (await shop.admin.get("/api/v1/audit", params={"action": "item.delete"})).json()["items"]
    assert [("admin", event(2)), ("admin", event(1))] == [(one["who"], one["subject"]) for one in noted]


async def test_the_audit_log_is_read_in_pages_by_who_what_and_when(shop: Shop) -> None:
    """Newest first; a condition may be any text, and matches itself."""
    for number in range(5):
        await shop.put(item(number))
        assert 204 == (await shop.admin.delete(f"{ITEMS_PATH}/{event(number)}")).status_code
    await shop.store.collection(AUDIT).update_one({"subject": event(2)}, {"$set": {"who": "eve"}})

    async def subjects(**asked: Any) -> list[int]:
        seen: list[int] = []
        cursor: dict[str, str] = {}
        while True:
            page = (await shop.admin.get("/api/v1/audit", params={"limit": 2} | asked | cursor)).json()
            seen += [UUID(one["subject"]).int for one in page["items"]]
            if page["next"] is None:
                return seen
            cursor = {"cursor": page["next"]}

    assert [4, 3, 2, 1, 0] == await subjects()
    assert [4, 3, 1, 0] == await subjects(who="admin")
    assert [2] == await subjects(subject=event(2)) == await subjects(who="eve", action="item.delete")
    assert [] == await subjects(who='{"$ne": null}') == await subjects(to="2026-01-01T00:00:00Z")
    assert [4, 3, 2, 1, 0] == await subjects(**{"from": "2026-01-01T00:00:00Z"})
    for caller, status in ((shop.reviewer, 403), (shop.customer, 403)):
        assert status == (await caller.get("/api/v1/audit")).status_code
