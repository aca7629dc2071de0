"""How long an item is one reviewer's, on a real store."""

from datetime import timedelta
from uuid import UUID

import pytest

from infra.store import CLAIMS
from tests.integration.archived import event, item, verdict
from tests.integration.review.desk import CLAIM, NEXT, RELEASE, Desk, row

pytestmark = pytest.mark.integration


async def test_a_claim_ends_by_itself_and_asking_for_more_keeps_it(desk: Desk) -> None:
    """Ten minutes without a sign give an item to another; a tab that is gone cannot hold one beyond the hour."""
    await desk.put(item(1), item(2))
    assert [1] == await desk.next(desk.ana)
    desk.clock.now += timedelta(minutes=9)
    assert [2] == await desk.next(desk.bob, 2)
    assert [] == await desk.next(desk.ana), "renews"
    desk.clock.now += timedelta(minutes=9)
    assert [] == await desk.next(desk.bob), "renews"
    desk.clock.now += timedelta(minutes=1, seconds=1)
    assert [1] == await desk.next(desk.bob)

    for _ in range(8):
        desk.clock.now += timedelta(minutes=9)
        await desk.next(desk.bob, category="none")
    assert [1, 2] == await desk.next(desk.ana, 2)


async def test_what_is_released_is_anothers_at_once(desk: Desk) -> None:
    """Some, or all that one has; never what another has."""
    await desk.put(item(1), item(2), item(3))
    assert [1, 2, 3] == await desk.next(desk.ana, 3)

    assert {"released": 0} == (await desk.bob.post(RELEASE, json={"event_ids": [event(1)]})).json()
    assert {"released": 1} == (await desk.ana.post(RELEASE, json={"event_ids": [event(2)]})).json()
    assert [2] == await desk.next(desk.bob, 3)
    assert {"released": 2} == (await desk.ana.post(RELEASE, json={})).json()
    assert [1, 3] == await desk.next(desk.bob, 3)


async def test_what_is_passed_over_is_anothers_and_comes_back_after_an_hour(desk: Desk) -> None:
    """Named again and again, as a page does, the hour stays one hour."""
    await desk.put(item(1), item(2))
    assert [1] == await desk.next(desk.ana)

    assert [2] == await desk.next(desk.ana, 2, skip=[event(1)])
    assert [] == await desk.next(desk.ana, 2, skip=[event(1)])
    assert [1] == await desk.next(desk.bob, 2)
    await desk.bob.post(RELEASE, json={})
    await desk.ana.post(RELEASE, json={})
    desk.clock.now += timedelta(minutes=40)
    assert [2] == await desk.next(desk.ana, 2, skip=[event(1)])
    desk.clock.now += timedelta(minutes=21)
    assert [1, 2] == await desk.next(desk.ana, 2)


async def test_a_judged_item_does_not_come_back_before_the_archive_has_the_verdict(desk: Desk) -> None:
    """Its claim stays, and is forgotten once the item has the verdict; one that is taken back is there again."""
    await desk.put(item(1), item(2))
    assert [1] == await desk.next(desk.ana)
    given = (await desk.say(desk.ana, row(1, "rejected"))).json()["items"][0]
    desk.clock.now += timedelta(hours=2)
    assert [2] == await desk.next(desk.bob, 2), "the archive is behind"

    await desk.archive(1, "rejected", feedback_id=given["feedback_id"])
    desk.clock.now += timedelta(minutes=2)
    await desk.next(desk.bob)
    assert 0 == await desk.store.collection(CLAIMS).count_documents({"judged": True})
    await desk.archive(1, "withdrawn", feedback_id="other")
    assert [1] == await desk.next(desk.ana)


async def test_an_item_that_is_undone_is_its_reviewers_again(desk: Desk) -> None:
    """And another's when that one leaves it."""
    await desk.put(item(1))
    assert [1] == await desk.next(desk.ana)
    await desk.say(desk.ana, row(1, "validated"))
    await desk.say(desk.ana, row(1, "undo"))

    assert [] == await desk.next(desk.bob)
    desk.clock.now += timedelta(minutes=11)
    assert [1] == await desk.next(desk.bob)


async def test_a_verdict_leaves_what_another_has_before_them(desk: Desk) -> None:
    """A late verdict on an item that is another's by now takes no claim; nor does taking it back."""
    await desk.put(item(1))
    assert [1] == await desk.next(desk.ana)
    desk.clock.now += timedelta(minutes=11)
    assert [1] == await desk.next(desk.bob)
    await desk.say(desk.ana, row(1, "validated", seen=None))
    await desk.say(desk.ana, row(1, "undo"))

    assert {"released": 0} == (await desk.ana.post(RELEASE, json={})).json()
    assert {"released": 1} == (await desk.bob.post(RELEASE, json={})).json()


async def test_items_are_claimed_by_their_ids(desk: Desk) -> None:
    """Those that wait and that no other has, also what one has or passed over; how many are not, is said."""
    await desk.put(*(item(number) for number in range(1, 7)), item(7, verdict=verdict("validated")))
    assert [1, 2] == await desk.next(desk.ana, 2)
    assert [3] == await desk.next(desk.bob)
    await desk.ana.post(NEXT, json={"skip": [event(4)]})
    await desk.say(desk.bob, row(6, "rejected"))
    asked = {"event_ids": [event(number) for number in (1, 3, 4, 5, 6, 7, 5)]}
    told = (await desk.ana.post(CLAIM, json=asked)).json()

    assert ([1, 4, 5], 3) == ([UUID(one).int for one in told["event_ids"]], told["skipped"])
    assert [] == await desk.next(desk.bob, 9)
