"""How fast events go out."""

from dataclasses import dataclass, field
from time import monotonic

from streams.replay.event import Event


@dataclass(slots=True)
class Pace:
    """Says how long an event has still to wait. Without rate and speed, none does.

    Args:
        rate: Events a second.
        speed: How much faster than they came: 2 is twice as fast. Events of unknown time go at once.
    """

    rate: float | None = None
    speed: float | None = None
    _began: float | None = field(default=None, init=False)
    _first_ms: int | None = field(default=None, init=False)
    _count: int = field(default=0, init=False)

    def wait_s(self, event: Event) -> float:
        """Seconds until it is the event's turn; to be asked once for each, in order."""
        now = monotonic()
        if self._began is None:
            self._began = now
        due = 0.0
        if self.rate is not None:
            due = self._count / self.rate
            self._count += 1
        elif self.speed is not None and event.at_ms is not None:
            if self._first_ms is None:
                self._first_ms, self._began = event.at_ms, now
            due = (event.at_ms - self._first_ms) / 1000 / self.speed
        return max(0.0, self._began + due - now)
