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


async def test_who_is_not_in_the_group_commits_nothing() -> None:
    """Awake after others took its partitions, a worker has forgotten its generation; its old offsets would count."""
    consumer = Alone()
    coordinator = SimpleNamespace(generation=-1)
    consumer._thread = Mock(_ensure_consumer=lambda: SimpleNamespace(_coordinator=coordinator, commit=None))
    consumer._thread.call_thread = AsyncMock()
    consumer.intake.tries = Mock(suspects={ONE})
    assert not await consumer._commit({ONE: 7})
    assert 0 == consumer._thread.call_thread.await_count
    coordinator.generation = 3
    assert await consumer._commit({ONE: 7})
    assert 1 == consumer._thread.call_thread.await_count


async def test_a_commit_that_the_ending_thread_cancels_does_not_cancel_the_shutdown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A crashed app stops its consumer's thread while it waits for the last commit; it has to stop the rest too."""
    consumer = Alone()
    monkeypatch.setattr(
        Alone, "app", SimpleNamespace(conf=SimpleNamespace(broker_request_timeout=5), batch_producer=Mock())
    )
    consumer._topic_ids = Mock(check=AsyncMock())
    monkeypatch.setattr(StockConsumer, "force_commit", AsyncMock(side_effect=asyncio.CancelledError))

    assert not await Consumer.force_commit(consumer)


async def test_who_cancels_a_commit_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what others cancelled is passed over."""
    consumer = Alone()
    monkeypatch.setattr(
        Alone, "app", SimpleNamespace(conf=SimpleNamespace(broker_request_timeout=5), batch_producer=Mock())
    )
    consumer._topic_ids = Mock(check=AsyncMock())
    waiting = asyncio.Event()

    async def wait(*_arguments: Any) -> bool:
        waiting.set()
        return bool(await asyncio.Event().wait())

    monkeypatch.setattr(StockConsumer, "force_commit", wait)
    commit = asyncio.create_task(Consumer.force_commit(consumer))
    await waiting.wait()
    commit.cancel()
    with pytest.raises(asyncio.CancelledError):
        await commit


async def test_a_crashed_app_does_not_wait_long_for_its_last_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its consumer's thread may have ended with the commit in hand, and then no answer ever comes."""
    consumer = Alone()
    app = SimpleNamespace(crash_reason=OSError(), limits=SimpleNamespace(drain_timeout_s=0), client_only=False)
    monkeypatch.setattr(Alone, "app", app)
    monkeypatch.setattr("infra.kafka.consumer.HAND_OVER_S", 0.01)
    consumer._unacked_messages.clear()
    consumer._thread = Mock(thread_loop=asyncio.get_running_loop())
    await asyncio.wait_for(consumer.wait_empty(), 5)
    assert 1 == consumer.commits
