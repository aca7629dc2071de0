"""The least sure items, kept at hand: to find them takes the embedded store long, to hand one of them out does not."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final

FRESH_S: Final = 30.0
"""Older ones are found anew, behind the back of whoever asks."""

AT_MOST_BUSY: Final = 1 / 60
"""Part of the time in which they may be looked for: where a look takes long, they are found anew more rarely."""

PAUSE_S: Final = 2.0
"""Between two times that they are found."""

OLD_S: Final = 300.0
"""Older ones nobody gets: who asks then waits for new ones."""


class Pool:
    """Ids of items, least sure first.

    Args:
        find: Finds them.
        clock: Gives the time in seconds.
    """

    def __init__(self, find: Callable[[], Awaitable[list[str]]], clock: Callable[[], float] = monotonic) -> None:
        self._find = find
        self._clock = clock
        self._finding: asyncio.Task[list[str]] | None = None
        self._found: tuple[float, list[str]] | None = None
        self._fresh_s = FRESH_S

    async def get(self, *, anew: bool = False) -> list[str]:
        """The items.

        Args:
            anew: Find them now, whatever is there.

        Raises:
            StoreUnavailable: The store is away.
        """
        age = OLD_S if self._found is None or anew else self._clock() - self._found[0]
        if age >= OLD_S or self._found is None:
            return await asyncio.shield(self._find_once())
        if age >= self._fresh_s:
            self.refresh()
        return self._found[1]

    def refresh(self) -> None:
        """Find them anew, behind the back of whoever asks, unless that was just done."""
        if self._found is None or self._clock() - self._found[0] >= PAUSE_S:
            self._find_once()

    def _find_once(self) -> "asyncio.Task[list[str]]":
        if self._finding is None:
            self._finding = asyncio.create_task(self._make())
            self._finding.add_done_callback(self._done)
        return self._finding

    async def _make(self) -> list[str]:
        began = self._clock()
        found = await self._find()
        self._found = self._clock(), found
        took = self._found[0] - began
        self._fresh_s = min(max(FRESH_S, took / AT_MOST_BUSY), OLD_S / 2)
        return found

    def _done(self, task: "asyncio.Task[list[str]]") -> None:
        self._finding = None
        if not task.cancelled():
            task.exception()  # those who waited may all have gone: an error then is nobody's
