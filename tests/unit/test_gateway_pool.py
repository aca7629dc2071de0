"""The least sure items at hand: found once for all who ask, and anew behind their backs."""

import asyncio

import pytest

from infra.errors import StoreUnavailable
from workers.gateway.review.pool import AT_MOST_BUSY, FRESH_S, OLD_S, Pool


class Shelf:
    """What can be found, and how often it was looked for."""

    def __init__(self) -> None:
        self.looks = 0
        self.away = False
        self.now = 0.0
        self.takes = 0.0
        self.pool = Pool(self.find, lambda: self.now)

    async def find(self) -> list[str]:
        """The number of this look."""
        self.looks += 1
        look = str(self.looks)
        await asyncio.sleep(0)
        self.now += self.takes
        if self.away:
            raise StoreUnavailable("away")
        return [look]


async def test_many_who_ask_share_one_look() -> None:
    """And those who come soon after it."""
    shelf = Shelf()

    assert [["1"]] * 5 == await asyncio.gather(*(shelf.pool.get() for _ in range(5)))
    shelf.now += FRESH_S - 1
    assert ["1"] == await shelf.pool.get()
    assert ["2"] == await shelf.pool.get(anew=True)


async def test_nobody_waits_for_a_later_look_unless_it_was_long_ago() -> None:
    """What is at hand is given while it is found anew; what is too old is not."""
    shelf = Shelf()
    await shelf.pool.get()
    shelf.now += FRESH_S
    assert ["1"] == await shelf.pool.get() == await shelf.pool.get()
    for _ in range(3):
        await asyncio.sleep(0)
    assert (["2"], 2) == (await shelf.pool.get(), shelf.looks)
    shelf.now += OLD_S
    assert ["3"] == await shelf.pool.get()


async def test_what_takes_long_to_find_is_found_more_rarely() -> None:
    """So that a slow store is not kept busy by the looks alone."""
    shelf = Shelf()
    shelf.takes = 2.0
    await shelf.pool.get()
    shelf.now += 2 / AT_MOST_BUSY - 1
    assert (["1"], 1) == (await shelf.pool.get(), shelf.looks)
    shelf.now += 1
    await shelf.pool.get()
    for _ in range(3):
        await asyncio.sleep(0)
    assert 2 == shelf.looks


async def test_a_store_that_is_away_is_told_to_those_who_wait_only() -> None:
    """Who has something at hand goes on with it."""
    shelf = Shelf()
    await shelf.pool.get()
    shelf.away, shelf.now = True, FRESH_S
    assert ["1"] == await shelf.pool.get()
    for _ in range(3):
        await asyncio.sleep(0)
    assert ["1"] == await shelf.pool.get()
    with pytest.raises(StoreUnavailable):
        await shelf.pool.get(anew=True)
    shelf.away = False
    assert ["1"] != await shelf.pool.get(anew=True)
