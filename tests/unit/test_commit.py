"""The commit protocol, step by step, on a stream that notes what happens when."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from infra.errors import DeliveryFailed
from streams.commit import Progress, run_stage
from streams.errors import ModelFailed, ModelHung


class FakeBatch:
    """What the transport keeps of a batch."""

    condemned_after = 0
    blamed = True

    def worked(self) -> None:
        """It is of no interest here."""

    def took(self, seconds: float) -> None:
        """It is what the fit of the costs learns from."""
        assert seconds >= 0

    async def exonerate(self) -> None:
        """Note it."""
        self.blamed = False


class FakeEvent:
    """An event that notes its acknowledgement."""

    def __init__(self, value: list[Any], log: list[str]) -> None:
        self.value = value
        self.message = FakeBatch()
        self._log = log

    def ack(self) -> None:
        """Note it."""
        self._log.append(f"ack {self.value[0]}")


class FakeStream:
    """A stream of the given batches, which must be read without automatic acknowledgement."""

    def __init__(self, batches: list[list[Any]], log: list[str]) -> None:
        self.given = [FakeEvent(batch, log) for batch in batches]
        self._automatic = True

    def noack(self) -> "FakeStream":
        """Switch automatic acknowledgement off."""
        self._automatic = False
        return self

    async def events(self) -> AsyncIterator[FakeEvent]:
        """Yield the batches."""
        assert not self._automatic, "the stream would acknowledge by itself, even after an error"
        for event in self.given:
            yield event


class NotingStage:
    """A stage that notes its steps, and fails or waits at one of them.

    Args:
        log: Takes the steps.
        fails_at: The step that raises.
        error: What it raises.
        gates: Events by step; the step of the first batch waits for its own.
    """

    def __init__(
        self,
        log: list[str],
        fails_at: str = "",
        error: Exception | None = None,
        gates: dict[str, asyncio.Event] | None = None,
    ) -> None:
        self._log = log
        self._fails_at = fails_at
        self._error = error or RuntimeError(fails_at)
        self._gates = gates or {}

    def _step(self, name: str, records: Any) -> None:
        if name == self._fails_at:
            raise self._error
        self._log.append(f"{name} {records[0]}")

    async def _pass(self, name: str, records: Any) -> None:
        self._step(name, records)
        if records == ["a"] and name in self._gates:
            await self._gates[name].wait()

    def decode(self, records: Any) -> Any:
        """Step 2."""
        self._step("decode", records)
        return records

    async def work(self, decoded: Any) -> Any:
        """Step 3."""
        await self._pass("work", decoded)
        return decoded

    async def deliver(self, results: Any) -> None:
        """Step 4."""
        await self._pass("deliver", results)

    def condemn(self, records: Any, tries: int) -> Any:
        """In place of steps 2 and 3."""
        self._step(f"condemn after {tries}", records)
        return records


async def test_a_batch_is_acknowledged_only_after_its_delivery() -> None:
    """Each batch takes the steps in their order, and each step takes the batches in theirs."""
    log: list[str] = []
    progress = Progress()

    await run_stage(FakeStream([["a"], ["b"]], log), NotingStage(log), progress)

    for batch in ("a", "b"):
        steps = [line.split()[0] for line in log if line.endswith(batch)]
        assert ["decode", "work", "deliver", "ack"] == steps
    for step in ("decode", "work", "deliver", "ack"):
        assert [f"{step} a", f"{step} b"] == [line for line in log if line.startswith(step)]
    assert (2, 2, 0.0) == (progress.events, progress.batches, progress.busy_s)


@pytest.mark.parametrize(
    ("step", "meanwhile"), [("work", ["decode b", "decode c"]), ("deliver", ["work b", "decode b", "decode c"])]
)
async def test_batches_overlap_and_keep_their_order(step: str, meanwhile: list[str]) -> None:
    """While the first batch is held at a step those behind it go on up to that step, and none overtakes it."""
    log: list[str] = []
    gate = asyncio.Event()
    stream = FakeStream([["a"], ["b"], ["c"]], log)
    running = asyncio.create_task(run_stage(stream, NotingStage(log, gates={step: gate}), Progress()))
    while not set(meanwhile) <= set(log):
        await asyncio.sleep(0)
    held = list(log)
    gate.set()
    await running

    assert not any(line.startswith("ack") or line == f"{step} b" for line in held)
    assert ["ack a", "ack b", "ack c"] == [line for line in log if line.startswith("ack")]


@pytest.mark.parametrize("step", ["decode", "work", "deliver"])
async def test_nothing_is_acknowledged_when_a_step_fails(step: str) -> None:
    """The error comes through as it is, no acknowledgement is made, no batch goes beyond that step."""
    log: list[str] = []

    progress = Progress()

    with pytest.raises(RuntimeError, match=step):
        await run_stage(FakeStream([["a"], ["b"]], log), NotingStage(log, step), progress)

    assert 0.0 == progress.busy_s
    assert not any(line.startswith(("ack", step)) for line in log)


async def test_a_batch_behind_one_that_fails_is_not_acknowledged() -> None:
    """The second batch is in work when the first one's delivery fails: neither is acknowledged."""
    log: list[str] = []
    with pytest.raises(RuntimeError, match="deliver"):
        await run_stage(
            FakeStream([["a"], ["b"]], log), NotingStage(log, "deliver", gates={"work": _open_gate()}), Progress()
        )
    assert not any(line.startswith("ack") for line in log)


async def test_no_batch_overtakes_one_whose_delivery_failed() -> None:
    """The one behind it waits for its turn to be delivered, and never is: its events would come before."""
    log: list[str] = []
    gate = asyncio.Event()

    class Failing(NotingStage):
        async def deliver(self, results: Any) -> None:
            self._log.append(f"deliver {results[0]}")
            await gate.wait()
            raise DeliveryFailed("as planned")

    running = asyncio.create_task(run_stage(FakeStream([["a"], ["b"]], log), Failing(log), Progress()))
    while "work b" not in log:
        await asyncio.sleep(0)
    gate.set()
    with pytest.raises(DeliveryFailed):
        await running
    assert "deliver b" not in log


@pytest.mark.parametrize(
    ("error", "blamed"),
    [
        (ModelHung("h"), True),
        (RuntimeError("bug"), True),
        (DeliveryFailed("d"), False),
        (ModelFailed("m"), False),
        (OSError("disk full"), False),
    ],
)
async def test_an_event_is_blamed_only_for_what_it_may_have_done(error: Exception, blamed: bool) -> None:
    """A hung model or a bug may be an event's doing; a broker that is away or a broken model is not."""
    stream = FakeStream([["a"]], [])

    with pytest.raises(type(error)):
        await run_stage(stream, NotingStage([], "work", error), Progress())

    assert blamed == stream.given[0].message.blamed


async def test_a_condemned_record_is_not_touched() -> None:
    """It is neither decoded nor worked on; what becomes of it is delivered and acknowledged."""
    log: list[str] = []
    stream = FakeStream([["a"]], log)
    stream.given[0].message.condemned_after = 3

    await run_stage(stream, NotingStage(log), Progress())

    assert ["condemn after 3 a", "deliver a", "ack a"] == log


def _open_gate() -> asyncio.Event:
    gate = asyncio.Event()
    gate.set()
    return gate
