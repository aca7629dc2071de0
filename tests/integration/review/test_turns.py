"""Verdicts that cross, and those that are taken back, on a real store."""

import asyncio
from datetime import timedelta

import pytest

from infra.store import AUDIT, CLAIMS
from tests.integration.archived import event, item, verdict
from tests.integration.review.desk import Desk, row
from workers.gateway.review import turns as turns_module

pytestmark = pytest.mark.integration


async def test_an_undo_gives_back_what_stood_before(desk: Desk) -> None:
    """The verdict before, be it another's, or none; also before the archive has any of it; never another's word."""
    await desk.put(item(1), item(2, verdict=verdict("corrected", code="jams", by="eve")))
    await desk.say(desk.ana, row(1, "validated"), row(2, "rejected"))
    told = (await desk.say(desk.ana, row(1, "undo"), row(2, "undo"), key="k")).json()["items"]

    assert [("withdrawn", None), ("corrected", "jams")] == [(one["verdict"], one["code"]) for one in told]
    again = (await desk.say(desk.ana, row(1, "undo"), row(2, "undo"), key="k")).json()["items"]
    assert told == again, "a retry undoes nothing more"
    assert 409 == (await desk.say(desk.ana, row(1, "undo"))).status_code, "nothing stands"
    await desk.say(desk.bob, row(2, "validated"))
    assert 409 == (await desk.say(desk.ana, row(2, "undo"))).status_code, "another's word"
    times = [one.at for one in desk.topic.given if one.product_id == "p2" and one.at is not None]
    assert times == sorted(times)


async def test_another_persons_verdict_is_not_overridden_unseen(desk: Desk) -> None:
    """One given offline and sent later is told what stands, archived or not, and the rows beside it are given.

    Who has seen it can override it; so can, as ever, who does not say what they saw.
    """
    await desk.put(item(1), item(2), item(3, verdict=verdict("rejected", by="eve")))
    await desk.say(desk.bob, row(1, "corrected", code="teas"))
    rows = [row(number, "validated", seen=None) for number in (1, 2, 3)]
    told = (await desk.say(desk.ana, *rows, key="late")).json()["items"]

    assert ["already-judged", None, "already-judged"] == [(one["problem"] or {}).get("code") for one in told]
    stands = told[0]["problem"]["stands"]
    assert ("bob", "corrected", "teas") == (stands["by"], stands["verdict"], stands["code"])
    assert ("eve", "f90") == (told[2]["problem"]["stands"]["by"], told[2]["problem"]["stands"]["feedback_id"])
    assert [("bob", "corrected", "teas"), ("ana", "validated", None)] == desk.topic.said()
    assert [("bob", "verdict.give", 1), ("ana", "verdict.give", 2)] == await desk.audited()

    alone = await desk.say(desk.ana, row(1, "validated", seen=None))
    assert (200, "already-judged") == (alone.status_code, alone.json()["items"][0]["problem"]["code"])
    anyway = await desk.say(desk.ana, row(1, "validated", seen=stands["feedback_id"]), row(3, "validated"))
    assert [None, None] == [one["problem"] for one in anyway.json()["items"]]


async def test_what_one_saw_or_said_oneself_is_no_conflict(desk: Desk) -> None:
    """Nor what was taken back; and a retry of what was given is answered as it was."""
    await desk.put(item(1), item(2), item(3, verdict=verdict("withdrawn", by="eve")))
    await desk.say(desk.ana, row(1, "rejected", seen=None))
    again = [row(1, "validated", seen=None), row(2, "validated", seen=None), row(3, "validated", seen=None)]
    first = (await desk.say(desk.ana, *again, key="k")).json()
    await desk.say(desk.bob, row(2, "rejected"))

    assert [None, None, None] == [one["problem"] for one in first["items"]]
    assert first == (await desk.say(desk.ana, *again, key="k")).json()
    assert 5 == len(await desk.audited())


async def test_of_two_who_judge_at_once_one_is_told(desk: Desk) -> None:
    """However they race, the one who comes second hears of the first; each entry of the log knows what was before."""
    await desk.put(*(item(number) for number in range(1, 13)))
    rows = [row(number, "rejected", seen=None) for number in range(1, 13)]
    answers = await asyncio.gather(*(desk.say(who, one) for one in rows for who in (desk.ana, desk.bob)))

    taken = [one.json()["items"][0]["problem"] is None for one in answers]
    assert [1] * 12 == [sum(taken[at : at + 2]) for at in range(0, 24, 2)]
    assert 12 == len(desk.topic.given)
    late = await asyncio.gather(*(desk.say(who, row(1, "validated")) for who in (desk.ana, desk.bob) for _ in range(3)))
    assert {200} == {one.status_code for one in late}, "without the field the latest wins"
    log = [one async for one in desk.store.collection(AUDIT).find({"subject": event(1)}).sort("_id", 1)]
    assert [one["who"] for one in log[:-1]] == [one["before"]["by"] for one in log[1:]]


async def test_a_turn_ends_with_its_request_and_by_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that a dead gateway left keeps others for two minutes; they are told to come back."""
    monkeypatch.setattr(turns_module, "_WAIT_S", 0.1)
    await desk.put(item(1), item(2))
    await desk.say(desk.ana, row(1, "undo"))
    assert 0 == await desk.store.collection(CLAIMS).count_documents({"turn.of": {"$exists": True}})
    turn = {"of": "gone", "until": desk.clock.now + timedelta(minutes=1)}
    await desk.store.collection(CLAIMS).update_one({"_id": event(1)}, {"$set": {"turn": turn}})

    busy = await desk.say(desk.ana, row(2, "validated"), row(1, "validated"), key="k")
    assert (503, True) == (busy.status_code, busy.json()["retryable"])
    assert [] == await desk.audited()
    desk.clock.now += timedelta(minutes=1)
    assert 200 == (await desk.say(desk.ana, row(2, "validated"), row(1, "validated"), key="k")).status_code


async def test_who_waits_for_a_turn_keeps_none_from_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else two that judge some of the same items at once could each wait for what the other holds."""
    monkeypatch.setattr(turns_module, "_WAIT_S", 20.0)
    await desk.put(item(1), item(2))
    turns = turns_module.Turns(desk.store, desk.clock)
    begun = {"_id": event(1), "turn.of": {"$exists": True}}

    async with turns.of([event(2)]):
        both = asyncio.create_task(desk.say(desk.ana, row(1, "validated"), row(2, "validated")))
        while not await desk.store.collection(CLAIMS).count_documents(begun):
            await asyncio.sleep(0.01)
        async with turns.of([event(1)]):
            assert not both.done()
    assert 200 == (await both).status_code
