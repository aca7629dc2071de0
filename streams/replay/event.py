"""One event of a replay, and where it comes from."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from schemas import headers as names
from schemas.headers import Headers

Position = str | int
Positions = dict[str, Position]
"""How far a source was read: by part of it (a partition's number, say), what was last confirmed there."""


@dataclass(frozen=True, slots=True)
class Event:
    """A record to publish.

    Args:
        event_id: Its id, which stays.
        key: Its key, as it came.
        value: Its value, as it came.
        headers: Those that it came with.
        origin: Where it comes from, in words for machines, such as ``products.in/3/1200``.
        part: The part of the source it is in.
        position: Its place there; what comes after it in this part has a greater one.
        at_ms: When it was published first, in milliseconds since 1970; None where nobody knows.
        partition: The number of its partition; None: by its key.
        timestamp_ms: The time that its record gets, likewise; None: when it is sent.
    """

    event_id: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    origin: str
    part: str
    position: Position
    at_ms: int | None = None
    partition: int | None = None
    timestamp_ms: int | None = None

    @property
    def size(self) -> int:
        """Bytes of key and value."""
        return len(self.key or b"") + len(self.value or b"")

    def replayed(self, replay_id: str) -> list[tuple[str, bytes | None]]:
        """Its headers with its id, the replay it goes out with, and its origin."""
        added = {names.REPLAY: replay_id.encode(), names.REPLAY_SOURCE: self.origin.encode()}
        own = [(name, value) for name, value in self.headers if name not in added]
        if names.last_text(own, names.EVENT_ID) != self.event_id:
            own.append((names.EVENT_ID, self.event_id.encode()))
        return [*own, *added.items()]


class Source(Protocol):
    """Where events come from. What a replay leaves out is counted by its reason."""

    passed_over: Counter[str]

    async def total(self) -> int:
        """How many events there are at most; for progress."""
        ...

    def events(self, after: Positions) -> AsyncIterator[Event]:
        """The events behind these positions, in order."""
        ...
