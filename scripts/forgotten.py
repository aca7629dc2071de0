"""What was forgotten by request, for commands that send again what was there."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.forgotten import Forgotten
    from infra.settings import Settings
    from streams.replay.event import Event, Positions, Source


@asynccontextmanager
async def respecting(settings: "Settings", source: "Source") -> "AsyncIterator[Source]":
    """A source that passes over what was forgotten. Where no store is known at all nothing was.

    Raises:
        StoreUnavailable: A store is configured, and does not answer when the events are asked for.
    """
    from infra.endpoints import find_mongodb
    from infra.errors import StoreUnavailable
    from infra.forgotten import Forgotten
    from infra.store import Store

    try:
        uri = find_mongodb(settings)
    except StoreUnavailable:
        yield source
        return
    store = Store(uri, settings.mongodb_database)
    try:
        yield _Respecting(source, Forgotten(store))
    finally:
        store.close()


class _Respecting:
    """A source without what was forgotten."""

    def __init__(self, source: "Source", forgotten: "Forgotten") -> None:
        self._source = source
        self._forgotten = forgotten
        self.passed_over: Counter[str] = source.passed_over

    async def total(self) -> int:
        """As the source has it."""
        return await self._source.total()

    def events(self, after: "Positions") -> "AsyncIterator[Event]":
        """Those that may be sent."""
        from streams.replay.forgotten import without_forgotten

        return without_forgotten(self._source.events(after), self._forgotten, self.passed_over)
