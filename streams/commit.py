"""The commit protocol of an agent, in one function. The numbers are those of the documentation."""

from collections.abc import Sequence
from time import monotonic
from typing import Any, Protocol, TypeVar

from aiokafka.structs import ConsumerRecord

from infra.logging import get_logger

W = TypeVar("W")
R = TypeVar("R")

logger = get_logger(__name__)


class Stage(Protocol[W, R]):
    """What an agent does with a batch. Each step may raise: then nothing of the batch is acknowledged."""

    def decode(self, records: Sequence[ConsumerRecord]) -> W:
        """Decode and validate each record; the bad ones become dead letters, nothing raises for them."""

    async def work(self, decoded: W) -> R:
        """Do what the agent is for, off the event loop where it computes."""

    async def deliver(self, results: R) -> None:
        """Publish or store everything; return once it is safe."""


class Progress:
    """What an agent has done and since when it is busy: for health, logs and figures."""

    def __init__(self) -> None:
        self.events = 0
        self.batches = 0
        self._busy_since: float | None = None

    def begin(self) -> None:
        """A batch is in hand."""
        self._busy_since = monotonic()

    def end(self, events: int) -> None:
        """The batch in hand is done."""
        self._busy_since = None
        self.events += events
        self.batches += 1

    @property
    def busy_s(self) -> float:
        """Seconds the batch in hand has taken so far; 0 between batches."""
        return 0.0 if self._busy_since is None else monotonic() - self._busy_since


async def run_stage(stream: Any, stage: Stage[Any, Any], progress: Progress) -> None:
    """Consume a stream of batches for as long as it lasts.

    What raises here ends the process: nothing of the batch in hand is acknowledged, so whoever gets the
    partitions next starts from it.

    Args:
        stream: The Faust stream of an agent on our transport. ``noack()``: otherwise the stream acknowledges
            by itself when the body of the loop ends, even by an error.
        stage: What to do with each batch.
        progress: Is kept up to date.
    """
    async for event in stream.noack().events():  # 1. take a batch
        progress.begin()
        decoded = stage.decode(event.value)  # 2. decode and validate each event
        results = await stage.work(decoded)  # 3. do the work; a poison event is isolated
        await stage.deliver(results)  # 4. deliver everything, and wait until it is safe
        event.ack()  # 5. acknowledge the whole batch, in order
        progress.end(len(event.value))
        # 6. the transport commits on an interval, at a rebalance and at shutdown
