"""Ends a process whose event loop stands still, and measures how late the loop is.

A loop that is blocked answers neither health checks nor signals, so this needs a thread of its own.
"""

import asyncio
import os
import sys
import threading
import traceback
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Final, Self

from infra.errors import LoopStalled
from infra.logging import get_logger
from infra.metrics.process import LOOP_LAG

_BEAT_S: Final = 0.025
_LOOKS: Final = 20  # in the time that a loop may stand still
_SAY_S: Final = 2.0  # a line cannot be written when the loop hangs in writing one

logger = get_logger(__name__)


class Watchdog:
    """Watches the running event loop while the context lasts; enter it on that loop's thread.

    The time is counted in the thread's own looks: when the whole process was stopped (SIGSTOP) or the machine
    suspended, the thread did not look either, so that time does not count.

    Args:
        stall_s: Longest the loop may stand still, in seconds.
        end: Ends the process, given its exit status.
    """

    def __init__(self, stall_s: float, end: Callable[[int], object] = os._exit) -> None:
        self._stall_s = stall_s
        self._end = end
        self._beats = 0
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        self._loop, self._watched = asyncio.get_running_loop(), threading.get_ident()
        self._due = monotonic()
        self._beat()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        self._next.cancel()
        self._thread.join()

    def _beat(self) -> None:
        now = monotonic()  # the loop's own clock stands still while a callback runs
        LOOP_LAG.observe(max(0.0, now - self._due))
        self._beats += 1
        self._due = now + _BEAT_S
        self._next = self._loop.call_later(_BEAT_S, self._beat)

    def _watch(self) -> None:
        seen, silent = -1, 0
        while not self._closed.wait(self._stall_s / _LOOKS):
            beats = self._beats
            seen, silent = beats, silent + 1 if beats == seen else 0
            if silent >= _LOOKS:
                self._give_up()
                return

    def _give_up(self) -> None:
        in_any_case = threading.Timer(_SAY_S, self._end, (1,))
        in_any_case.daemon = True
        in_any_case.start()
        error = LoopStalled(f"The event loop has stood still for {self._stall_s:g} s.")
        where = "".join(traceback.format_stack(sys._current_frames()[self._watched]))  # noqa: SLF001 - the only way
        logger.critical(error.message, error=error.code, stack=where)
        in_any_case.cancel()
        self._end(1)
