"""What is remembered of the store's answers, and for how long."""

import asyncio

import pytest

from infra.errors import StoreUnavailable
from workers.gateway.accounts.recent import FRESH_S, Known, Otherwise, Recent


class Store:
    """Answers with a count of how often it was asked, or not at all."""

    def __init__(self) -> None:
        self.asked = 0
        self.now = 0.0
        self.away = False
        self.recent: Recent[int] = Recent(lambda: self.now)

    async def __call__(self) -> int:
        """An answer."""
        await asyncio.sleep(0)
        self.asked += 1
        if self.away:
            raise StoreUnavailable("away")
        return self.asked

    async def get(self, otherwise: int | None = None) -> int:
        """What is remembered, or asked for."""
        return (await self.known(otherwise)).value

    async def known(self, otherwise: int | None = None, age_s: float = 1e6) -> Known[int]:
        """The same, and how old it is."""
        return await self.recent.get("key", self, None if otherwise is None else Otherwise(otherwise, age_s))


async def test_asks_once_in_five_seconds_and_after_a_change() -> None:
    """Many who ask at once are one question; the answer holds for 5 s, unless something was changed here."""
    store = Store()
    assert [1] * 20 == await asyncio.gather(*(store.get() for _ in range(20)))
    store.now += FRESH_S - 0.1
    assert 1 == await store.get()
    store.now += 0.2
    assert 2 == await store.get()
    store.recent.change()
    store.now += 0.1
    assert 3 == await store.get()


async def test_remembers_while_the_store_is_away() -> None:
    """What was known is used for a day, then what there is otherwise; each 5 s one asks again."""
    store = Store()
    store.away = True
    with pytest.raises(StoreUnavailable):
        await store.get()
    assert 7 == await store.get(otherwise=7)
    store.away, store.now = False, 10
    known = await store.get(otherwise=7)
    store.away, store.now = True, 20
    assert [known] * 3 == [await store.get() for _ in range(3)]
    assert store.recent.away
    asked = store.asked
    store.now += 90_000
    assert 7 == await store.get(otherwise=7)
    assert asked + 1 == store.asked
    store.away, store.now = False, store.now + 6
    assert asked + 2 == await store.get()
    assert not store.recent.away


async def test_says_how_old_an_answer_is() -> None:
    """So that nobody goes on for long by what may have been taken back; of two, the younger one counts."""
    store = Store()
    assert Known(1, 0) == await store.known()
    store.now += 3
    assert Known(1, 3) == await store.known()
    store.away, store.now = True, 100
    assert Known(1, 100) == await store.known(otherwise=7, age_s=101)
    assert Known(7, 99) == await store.known(otherwise=7, age_s=99)


async def test_waits_for_a_silent_store_no_longer_than_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that takes a question and never answers is away, too."""
    monkeypatch.setattr("workers.gateway.accounts.recent._WAIT_S", 0.01)
    monkeypatch.setattr("workers.gateway.accounts.recent._LONGEST_WAIT_S", 0.02)
    silent = asyncio.Event()

    async def ask() -> int:
        await silent.wait()
        return 1

    recent: Recent[int] = Recent()
    assert Known(7, 9) == await recent.get("a", ask, Otherwise(7, 9))
    with pytest.raises(StoreUnavailable, match="did not answer"):
        await recent.get("b", ask)
    silent.set()


async def test_remembers_only_so_many() -> None:
    """What is remembered is bounded, however many keys are tried."""
    store = Store()
    for number in range(10_010):
        await store.recent.get(str(number), store)
    assert 10_000 == len(store.recent._answers)


async def test_made_up_keys_crowd_nothing_out() -> None:
    """Nothing is kept of a key that the store never knew; of one that it knew, that it is gone."""
    recent: Recent[int | None] = Recent()
    answers: dict[str, int | None] = {"known": 1}

    async def ask(key: str) -> int | None:
        return (await recent.get(key, lambda: asyncio.sleep(0, answers.get(key)))).value

    assert [1, None] == [await ask("known"), await ask("made up")]
    answers["known"] = None
    recent.change()
    assert await ask("known") is None
    assert ["known"] == list(recent._answers)
