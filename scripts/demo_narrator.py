"""What the demo says of the processes: their changes, and a worker's own lines only when it fails."""

import asyncio
from collections import defaultdict, deque

from infra.supervisor import ProcessEvent
from scripts.up import print_event

_LAST_LINES = 10


class Narrator:
    """Takes the events of the supervised processes."""

    def __init__(self) -> None:
        self._ready: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._lines: dict[str, deque[ProcessEvent]] = defaultdict(lambda: deque(maxlen=_LAST_LINES))

    def __call__(self, event: ProcessEvent) -> None:
        """Print an event, or keep a line for later."""
        if event.what == "ready":
            self._ready[_kind(event.name)].set()
        if event.what == "line" and event.name != "training":
            self._lines[event.name].append(event)
            return
        if event.what == "restarting":
            for line in self._lines.pop(event.name, ()):
                print_event(line)
        print_event(event)

    async def ready(self, kind: str) -> None:
        """Wait until a process of a kind is ready.

        Args:
            kind: Its name, without a number.
        """
        await self._ready[kind].wait()


def _kind(name: str) -> str:
    return name.partition("-")[0]
