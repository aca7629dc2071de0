"""Work in a process of its own: what it gives, and that it never outlives whoever asked for it."""

import asyncio
import time
from multiprocessing import active_children

import pytest

from workers.monitor import aside
from workers.monitor.aside import in_a_process


async def test_what_is_done_in_a_process_comes_back() -> None:
    """Be it an answer or an error."""
    assert 3 == await in_a_process(len, "abc")
    with pytest.raises(TypeError):
        await in_a_process(len, 3)


async def test_a_monitor_that_is_told_to_stop_waits_for_no_process() -> None:
    """What it does aside is killed at once: nobody reads it any more."""
    before = set(active_children())
    working = asyncio.create_task(in_a_process(time.sleep, 60))
    async with asyncio.timeout(20):
        while not set(active_children()) - before:
            await asyncio.sleep(0.01)
        (process,) = set(active_children()) - before
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        await asyncio.to_thread(process.join)
    assert set() == set(active_children()) - before


async def test_a_process_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check goes on without it, and knows what it was."""
    monkeypatch.setattr(aside, "_LIMIT_S", 0.1)
    before = set(active_children())
    async with asyncio.timeout(20):
        with pytest.raises(TimeoutError, match=r"sleep was not done within 0.1 s"):
            await in_a_process(time.sleep, 60)
        while set(active_children()) - before:
            await asyncio.sleep(0.01)
