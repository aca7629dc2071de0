"""The commit protocol of an agent, in one function. The numbers are those of the documentation."""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any, Protocol, TypeVar

from aiokafka.structs import ConsumerRecord

from infra.metrics.stream import PROCESSED
from schemas.errors import AisleError
from streams.errors import ModelHung

W = TypeVar("W")
R = TypeVar("R")


class Stage(Protocol[W, R]):
    """What an agent does with a batch. Each step may raise: then nothing of the batch is acknowledged."""

    def decode(self, records: Sequence[ConsumerRecord]) -> W:
        """Decode and validate each record; the bad ones become dead letters, nothing raises for them."""

    async def work(self, decoded: W) -> R:
        """Do what the agent is for, off the event loop where it computes."""

    async def deliver(self, results: R) -> None:
        """Publish or store everything; return once it is safe."""

    def condemn(self, records: Sequence[ConsumerRecord], tries: int) -> R:
        """What becomes of records that ended the process each of so many times: they are not to be touched."""


class Progress:
    """What an agent has done and since when it is busy: for health, logs and figures."""

    def __init__(self) -> None:
        self.events = 0
        self.batches = 0
        self._since: deque[float] = deque()

    def begin(self) -> None:
        """The work on a batch begins."""
        self._since.append(monotonic())

    def end(self, events: int) -> None:
        """The first of the batches in hand is done."""
        self._since.popleft()
        self.events += events
        self.batches += 1
        PROCESSED.inc(events)

    def goes_on(self) -> None:
        """The delivery of the first batch in hand begins, which has a limit of its own."""
        self._since[0] = monotonic()

    def drop(self) -> None:
        """Nothing is in hand any more, done or not."""
        self._since.clear()

    @property
    def busy_s(self) -> float:
        """Seconds the oldest batch in hand has taken so far; 0 between batches."""
        return monotonic() - self._since[0] if self._since else 0.0


class Stopwatch:
    """Adds up the times spent within it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> None:
        self.seconds -= monotonic()

    def __exit__(self, *_error: object) -> None:
        self.seconds += monotonic()


async def run_stage(stream: Any, stage: Stage[Any, Any], progress: Progress) -> None:
    """Consume a stream of batches for as long as it lasts.

    Batches overlap: while one is worked on, the one before is delivered and the next is decoded. Each step
    takes them in order, so order per partition holds. What raises here ends the process: nothing of the open
    batches is acknowledged, so whoever gets the partitions next starts from them.

    Args:
        stream: The Faust stream of an agent on our transport. ``noack()``: otherwise the stream acknowledges
            by itself when the body of the loop ends, even by an error.
        stage: What to do with each batch.
        progress: Is kept up to date.

    Raises:
        Exception: What a step raised first.
    """
    working, delivering, failure = asyncio.Lock(), asyncio.Lock(), _Failure()  # locks serve in the order of asking

    async def process(event: Any) -> None:
        records, batch = event.value, event.message
        cost = Stopwatch()
        with failure.of(batch), cost:
            decoded = None if batch.condemned_after else stage.decode(records)  # 2. decode and validate each event
        async with working:
            await failure.none()
            progress.begin()
            with failure.of(batch), cost:
                if batch.condemned_after:
                    results = stage.condemn(records, batch.condemned_after)
                else:
                    results = await stage.work(decoded)  # 3. do the work; a poison event is isolated
            batch.worked()
        async with delivering:
            await failure.none()
            progress.goes_on()
            with failure.of(batch), cost:
                await stage.deliver(results)  # 4. deliver everything, and wait until it is safe
            event.ack()  # 5. acknowledge the whole batch, in order
        progress.end(len(records))
        batch.took(cost.seconds)
        # 6. the transport commits on an interval, at a rebalance and at shutdown

    try:
        async with asyncio.TaskGroup() as batches:
            async for event in stream.noack().events():  # 1. take a batch
                batches.create_task(process(event))
    except ExceptionGroup as errors:
        progress.drop()
        raise await failure.first(errors) from None
    finally:
        progress.drop()


class _Failure:
    """What a batch failed with first. No batch behind it takes a further step, or order would break."""

    def __init__(self) -> None:
        self._error: Exception | None = None
        self._batch: Any = None

    @contextmanager
    def of(self, batch: Any) -> Iterator[None]:
        """Notes the failure before the lock around it lets the next batch go on."""
        try:
            yield
        except Exception as error:
            if self._error is None:
                self._error, self._batch = error, batch
            raise

    async def none(self) -> None:
        """Return if nothing has failed; else wait for the end, which is under way."""
        if self._error is not None:
            await asyncio.Event().wait()

    async def first(self, errors: ExceptionGroup) -> Exception:
        """The first failure; when it is known to be no event's fault, the partitions are left without a note."""
        error = self._error or errors.exceptions[0]
        if self._batch is not None and isinstance(error, AisleError | OSError) and not isinstance(error, ModelHung):
            await self._batch.exonerate()
        return error
