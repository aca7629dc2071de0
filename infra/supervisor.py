"""Keeps child processes running: starts them stage by stage, restarts what dies, stops them in reverse.

1. Each stage starts when every child of the one before is up.
2. A child that ends is started again, later each time, until it has run stably.
3. A child that was alive and is so no longer is killed, and so started again.
4. At the stop the last stage ends first; who takes too long is killed.
"""

import asyncio
from collections.abc import Callable, Sequence

from infra.child import Child, ProcessEvent
from infra.keeper import Keeper

__all__ = ["Child", "ProcessEvent", "Supervisor"]


class Supervisor:
    """A family of child processes that ends with this process, whatever ends it.

    Args:
        on_event: Gets every event, in the event loop's thread.
    """

    def __init__(self, on_event: Callable[[ProcessEvent], None]) -> None:
        self._on_event = on_event
        self._stages: list[list[Keeper]] = []
        self._hurry = asyncio.Event()

    async def start(self, stage: Sequence[Child]) -> None:
        """Start a stage; returns when all of it is up, or done.

        Raises:
            ServiceFailed: A child would not come up.
        """
        keepers = [Keeper(child, self._on_event, self._hurry) for child in stage]
        self._stages.append(keepers)
        for keeper in keepers:
            await keeper.wait_until_up()

    async def wait(self) -> None:
        """Wait for a child that no restart can help; without one, for ever.

        Raises:
            ServiceFailed: That child.
        """
        tasks = [keeper.task for stage in self._stages for keeper in stage]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
        await asyncio.Event().wait()  # all were steps: there is nothing to watch, and nothing to end for

    async def stop(self) -> None:
        """Stop everything, the last stage first."""
        while self._stages:
            await asyncio.gather(*(keeper.stop() for keeper in self._stages[-1]))
            self._stages.pop()

    def hurry(self) -> None:
        """Wait two seconds for each and no longer at the stop."""
        self._hurry.set()
