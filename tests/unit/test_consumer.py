"""What the consumer does otherwise than Faust's, where no broker is needed to see it."""

import asyncio
from collections import defaultdict
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from faust.transport.consumer import Consumer as StockConsumer
from faust.types import TP

from infra.kafka.consumer import Consumer

ONE = TP("t", 0)


class Alone(Consumer):
    """A consumer without an app, a thread or a broker: only what the tests ask for is there."""

    def __init__(self) -> None:
        self._commit_fut = None
        self._committed_offset = defaultdict(lambda: None)
        self._unacked_messages = {Mock()}
        self.intake = Mock(hand_over=AsyncMock())
        self.gate = asyncio.Event()
        self.commits = 0

    app: Any = SimpleNamespace(client_only=False)
    loop: Any = None

    async def force_commit(self, *_arguments: Any, **_options: Any) -> bool:
        """A commit that takes as long as the test wants."""
        self.commits += 1
        await self.gate.wait()
        return True


async def test_a_commit_waits_for_the_one_before_and_is_made_all_the_same() -> None:
    """What was done last is not in the commit under way."""
    consumer = Alone()
    commits = [asyncio.create_task(consumer.commit()) for _ in range(3)]
    await asyncio.sleep(0)
    consumer.gate.set()
    assert [True, True, True] == await asyncio.gather(*commits)
    assert 3 == consumer.commits


async def test_whoever_gives_up_waiting_for_a_commit_leaves_it_alone() -> None:
    """The limit holds, the commit under way goes on, and no second one is made beside it."""
    consumer = Alone()
    first = asyncio.create_task(consumer.commit())
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await consumer.commit()
    assert (1, False) == (consumer.commits, first.done())
    consumer.gate.set()
    assert await first


async def test_a_commit_that_failed_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stock Faust takes the offsets for committed."""
    consumer = Alone()

    async def fail(self: Any, offsets: Any, _start: bool = True) -> bool:
        self._committed_offset.update(offsets)
        return False

    monkeypatch.setattr(StockConsumer, "_commit_offsets", fail)
    assert not await consumer._commit_offsets({ONE: 7})
    assert consumer._committed_offset[ONE] is None


def test_what_is_forgotten_is_waited_for_no_more() -> None:
    """Else every rebalance that outlasts the drain waits for it twice."""
    consumer = Alone()
    consumer._forget()
    assert not consumer._unacked_messages
    consumer.intake.forget.assert_called_once()  # type: ignore[attr-defined] # a mock
