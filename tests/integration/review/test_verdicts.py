"""Verdicts over HTTP, on a real store: each is noted before it is sent, and sent once."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.store import AUDIT
from tests.integration.archived import event, item, verdict
from tests.integration.review.desk import CLAIM, NEXT, RELEASE, VERDICTS, Desk, row

pytestmark = pytest.mark.integration

HOSTILE: list[Any] = [{"$ne": None}, ["x"], 7, None, "\ud800", "", True]


async def test_verdicts_are_noted_then_sent(desk: Desk) -> None:
    """Who, what, and how it was before and after; naming what was predicted says that it is right."""
    await desk.put(item(1), item(2), item(3, verdict=verdict("rejected", by="eve")), item(4))
    rows = [
        row(1, "validated"),
        row(2, "corrected", code="teas", note="a pot"),
        row(3, "corrected", code="soups"),
        row(4, "rejected"),
    ]
    answer = await desk.say(desk.ana, *rows)

    assert 200 == answer.status_code, answer.text
    told = answer.json()["items"]
    assert [("validated", "soups"), ("corrected", "teas"), ("validated", "soups"), ("rejected", None)] == [
        (one["verdict"], one["code"]) for one in told
    ]
    assert {one["feedback_id"] for one in told} == {one.feedback_id for one in desk.topic.given}
    assert "a pot" == next(one.note for one in desk.topic.given if one.product_id == "p2")
    assert {("ana", "verdict.give", number) for number in (1, 2, 3, 4)} == set(await desk.audited())
    entry = await desk.store.collection(AUDIT).find_one({"subject": event(3)})
    assert entry is not None
    assert {"verdict": "rejected", "code": None, "by": "eve"} == entry["before"]
    assert ("validated", "soups", "reviewer") == (entry["after"]["verdict"], entry["after"]["code"], entry["role"])
    assert entry["request_id"] == answer.headers["x-request-id"]


async def test_each_row_has_its_own_answer(desk: Desk) -> None:
    """One that cannot be taken says why, the others are given; if none can, that is the answer."""
    dead = {"_id": event(3), "dead_letter": {"at": datetime.now(UTC), "attempts": 1}}
    await desk.put(item(1), item(2), dead)
    bad = [row(2, "corrected", code="tees"), row(9, "validated"), row(3, "validated"), row(2, "undo")]
    expected = [(422, "unprocessable"), (404, "not-found"), (422, "unprocessable"), (409, "conflict")]

    for one, (status, code) in zip(bad, expected, strict=True):
        answer = await desk.say(desk.ana, one)
        assert (status, f"urn:aisle:problem:{code}") == (answer.status_code, answer.json()["type"])
        told = (await desk.say(desk.ana, row(1, "validated"), one)).json()["items"]
        assert (None, code) == (told[0]["problem"], told[1]["problem"]["code"])
    assert "Do you mean teas?" == (await desk.say(desk.ana, bad[0])).json()["hint"]
    assert {"p1"} == {one.product_id for one in desk.topic.given}


@pytest.mark.parametrize("name", ["event_id", "verdict", "code", "note", "seen"])
async def test_operators_in_a_verdict_are_refused(desk: Desk, name: str) -> None:
    """Nothing but text is taken, so no query or document can hold an operator."""
    await desk.put(item(1))

    for value in HOSTILE:
        given = {"event_id": event(1), "verdict": "corrected", "code": "teas"} | {name: value}
        content = _json({"verdicts": [given]})
        answer = await desk.ana.post(VERDICTS, content=content, headers={"content-type": "application/json"})
        accepted = f"{name}={value}" in {"note=None", "note=", "seen=None"}
        assert (200 if accepted else 422) == answer.status_code, (name, value, answer.text)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (NEXT, {"skip": [{"$ne": None}]}),
        (NEXT, {"skip": {"$ne": None}}),
        (NEXT, {"category": {"$ne": None}}),
        (NEXT, {"theme": ["x"]}),
        (NEXT, {"model_version": {"$gt": ""}}),
        (NEXT, {"count": "1"}),
        (NEXT, {"count": 51}),
        (NEXT, {"count": {"$gt": 0}}),
        (NEXT, {"who": "bob"}),
        (CLAIM, {}),
        (CLAIM, {"event_ids": []}),
        (CLAIM, {"event_ids": [{"$ne": None}]}),
        (RELEASE, {"event_ids": {"$exists": True}}),
        (RELEASE, {"event_ids": ["x"]}),
        (VERDICTS, {"verdicts": []}),
        (VERDICTS, {"verdicts": [{"event_id": event(1), "verdict": "rejected"}] * 2}),
        (VERDICTS, {"verdicts": [{"event_id": event(n), "verdict": "rejected"} for n in range(501)]}),
        (VERDICTS, [{"event_id": event(1), "verdict": "rejected", "by": "bob"}]),
    ],
)
async def test_what_is_malformed_is_refused(desk: Desk, path: str, body: Any) -> None:
    """With the reason, and nothing is done."""
    assert 422 == (await desk.ana.post(path, content=_json(body))).status_code
    assert [] == desk.topic.given


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


async def test_the_same_key_gives_the_same_verdict(desk: Desk) -> None:
    """A retry is noted once and named alike; for anything else the key is used up."""
    await desk.put(item(1), item(2))
    rows = [row(1, "corrected", code="teas"), row(2, "validated")]
    first = (await desk.say(desk.ana, *rows, key="k")).json()
    again = (await desk.say(desk.ana, *rows, key="k")).json()

    assert first == again
    assert 2 == len({one.feedback_id for one in desk.topic.given})
    assert 2 == len({(one.feedback_id, one.at) for one in desk.topic.given}), "as old as it was"
    assert 2 == len(await desk.audited())
    other = await desk.say(desk.ana, row(1, "rejected"), key="k")
    assert (422, "urn:aisle:problem:idempotency-key-reused") == (other.status_code, other.json()["type"])
    assert 200 == (await desk.say(desk.bob, row(1, "rejected"), key="k")).status_code, "a key is its caller's"


async def test_a_failed_delivery_is_noted_and_can_be_done_again(desk: Desk) -> None:
    """The caller is told to come back; with the same key what was taken changes nothing."""
    await desk.put(item(1), item(2))
    desk.topic.refuses.add("p2")
    rows = [row(1, "validated"), row(2, "validated")]
    failed = await desk.say(desk.ana, *rows, key="k")

    assert (503, True) == (failed.status_code, failed.json()["retryable"])
    assert "retry-after" in failed.headers
    assert ("ana", "verdict.failed", 2) == (await desk.audited())[-1]
    desk.topic.refuses.clear()
    assert 200 == (await desk.say(desk.ana, *rows, key="k")).status_code
    assert ("ana", "verdict.give", 2) == (await desk.audited())[-1]
    assert {"p1", "p2"} == {one.product_id for one in desk.topic.given}
    assert 2 == len({one.feedback_id for one in desk.topic.given})


async def test_without_a_broker_nothing_is_noted_and_nothing_sent(desk: Desk) -> None:
    """It may come back: the caller is told so."""
    await desk.put(item(1))
    desk.parts.road.answers.away = "no Kafka broker answers"

    answer = await desk.say(desk.ana, row(1, "validated"))
    assert (503, "urn:aisle:problem:broker-unavailable") == (answer.status_code, answer.json()["type"])
    assert [] == await desk.audited()


async def test_the_log_has_every_verdict_with_what_was_before_and_after(desk: Desk) -> None:
    """One by one, several together, overridden, undone, taken back: who, when, and how it stood on both sides."""
    await desk.put(item(1), item(2))
    both = await desk.say(desk.ana, row(1, "validated", seen=None), row(2, "rejected", seen=None))
    first = both.json()["items"][0]["feedback_id"]
    await desk.say(desk.bob, row(1, "corrected", code="teas", seen=first))
    await desk.say(desk.bob, row(1, "undo"))
    await desk.say(desk.ana, row(1, "withdrawn"))

    log = [one async for one in desk.store.collection(AUDIT).find({"subject": event(1)}).sort("_id", 1)]
    states = [("ana", "validated", "soups"), ("bob", "corrected", "teas"), ("bob", "validated", "soups")]
    none, withdrawn = (None, None, "soups"), ("ana", "withdrawn", None)
    assert [none, *states] == [tuple(one["before"][name] for name in ("by", "verdict", "code")) for one in log]
    after = [(one["who"], one["after"]["verdict"], one["after"]["code"]) for one in log]
    assert [*states, withdrawn] == after
    assert [one.feedback_id for one in desk.topic.given if one.product_id == "p1"] == [
        one["after"]["feedback_id"] for one in log
    ]
    assert all(isinstance(one["at"], datetime) and one["request_id"] for one in log)
    assert 5 == len(await desk.audited())
