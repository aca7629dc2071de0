"""The commit protocol, step by step, on a stream that notes what happens when."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from streams.commit import Progress, run_stage


class FakeEvent:
    """An event that notes its acknowledgement."""

    def __init__(self, value: list[Any], log: list[str]) -> None:
        self.value = value
        self._log = log

    def ack(self) -> None:
        """Note it."""
        self._log.append("ack")


class FakeStream:
    """A stream of the given batches, which must be read without automatic acknowledgement."""

    def __init__(self, batches: list[list[Any]], log: list[str]) -> None:
        self._events = [FakeEvent(batch, log) for batch in batches]
        self._automatic = True

    def noack(self) -> "FakeStream":
        """Switch automatic acknowledgement off."""
        self._automatic = False
        return self

    async def events(self) -> AsyncIterator[FakeEvent]:
        """Yield the batches."""
        assert not self._automatic, "the stream would acknowledge by itself, even after an error"
        for event in self._events:
            yield event


class NotingStage:
    """A stage that notes its steps and fails at one of them."""

    def __init__(self, log: list[str], fails_at: str = "") -> None:
        self._log = log
        self._fails_at = fails_at

    def _step(self, name: str) -> None:
        if name == self._fails_at:
            raise RuntimeError(name)
        self._log.append(name)

    def decode(self, records: Any) -> Any:
        """Step 2."""
        self._step("decode")
        return records

    async def work(self, decoded: Any) -> Any:
        """Step 3."""
        self._step("work")
        return decoded

    async def deliver(self, results: Any) -> None:
        """Step 4."""
        assert results == ["a"]
        self._step("deliver")


async def test_a_batch_is_acknowledged_only_after_its_delivery() -> None:
    """The steps run in their order for one batch after the other."""
    log: list[str] = []
    progress = Progress()

    await run_stage(FakeStream([["a"], ["a"]], log), NotingStage(log), progress)

    assert ["decode", "work", "deliver", "ack"] * 2 == log
    assert (2, 2, 0.0) == (progress.events, progress.batches, progress.busy_s)


@pytest.mark.parametrize("step", ["decode", "work", "deliver"])
async def test_nothing_is_acknowledged_when_a_step_fails(step: str) -> None:
    """The error comes through, no acknowledgement is made, no further batch is begun."""
    log: list[str] = []

    with pytest.raises(RuntimeError, match=step):
        await run_stage(FakeStream([["a"], ["a"]], log), NotingStage(log, step), Progress())

    assert "ack" not in log
    assert log.count("decode") <= 1
