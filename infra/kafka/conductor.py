"""Faust's conductor, which hands a batch to the agents' channels as it is."""

from collections.abc import Awaitable, Callable, MutableSet
from typing import Any

from faust.events import Event
from faust.transport import conductor as stock
from faust.types import TP, Message


class Conductor(stock.Conductor):
    """Delivers a batch as one event."""

    def _build_handler(
        self,
        tp: TP,  # noqa: ARG002 - Faust's signature
        channels: MutableSet[Any],
    ) -> Callable[[Message], Awaitable[None]]:
        # Replaces the compiled handler, which decodes the value and overfills the queue, and then marks the
        # partition as buffered: with all of them buffered stock intake sleeps a whole second.
        # Never `await queue.put()` here: a rebalance cancels blocked putters, and that cancellation ends
        # the fetcher. The ledger bounds the queue.
        async def deliver(message: Message) -> None:
            for channel in list(channels):
                message.incref()
                event = Event(self.app, None, message.value, None, message)
                channel.queue.force_put_nowait(event)

        return deliver
