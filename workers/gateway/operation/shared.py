"""What many callers ask for at once is found out once."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """A value that is made when somebody asks, by one task for all who ask meanwhile, and kept for a while.

    Args:
        make: Makes it. What it raises is raised to all who wait for it, and kept for nobody.
        for_s: How long it is good for.
    """

    def __init__(self, make: Callable[[], Awaitable[T]], for_s: float) -> None:
        self._make = make
        self._for_s = for_s
        self._making: asyncio.Task[T] | None = None
        self._made: tuple[float, T] | None = None

    async def get(self) -> T:
        """The value."""
        if self._made is not None and monotonic() - self._made[0] < self._for_s:
            return self._made[1]
        if self._making is None:
            self._making = asyncio.create_task(self._one())
            self._making.add_done_callback(_seen)
        return await asyncio.shield(self._making)

    def forget(self) -> None:
        """Make it anew for whoever asks next."""
        self._made = self._making = None

    async def _one(self) -> T:
        me = asyncio.current_task()
        try:
            value = await self._make()
        finally:
            mine = self._making is me
            if mine:
                self._making = None
        if mine:
            self._made = monotonic(), value
        return value


def _seen(task: "asyncio.Task[T]") -> None:
    """Those who waited may all have gone: an error then is nobody's."""
    if not task.cancelled():
        task.exception()
