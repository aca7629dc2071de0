"""Waiting for a broker: as long as it takes, or so long, and with few lines."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from infra.errors import BrokerUnavailable
from infra.kafka import clients
from infra.kafka.clients import wait_for_broker


class Clock:
    """Time that passes only in pauses, and a broker that answers from some time on."""

    def __init__(self, answers_at_s: float) -> None:
        self.now_s = 100.0
        self.asked = 0
        self._answers_at_s = 100.0 + answers_at_s

    def monotonic(self) -> float:
        """Seconds."""
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        """Pause."""
        self.now_s += seconds

    @asynccontextmanager
    async def admin_client(self, _bootstrap: str) -> AsyncIterator[None]:
        """Connect, or not."""
        self.asked += 1
        if self.now_s < self._answers_at_s:
            raise BrokerUnavailable("No Kafka broker answers.")
        yield


def clock(monkeypatch: pytest.MonkeyPatch, answers_at_s: float) -> Clock:
    """The clock that ``wait_for_broker`` goes by."""
    clock = Clock(answers_at_s)
    monkeypatch.setattr(clients, "admin_client", clock.admin_client)
    monkeypatch.setattr(clients, "monotonic", clock.monotonic)
    monkeypatch.setattr("infra.kafka.clients.asyncio.sleep", clock.sleep)
    return clock


async def test_a_broker_that_comes_late_is_waited_for_with_few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour away: asked every few seconds, told of at once and then at most twice a minute."""
    time = clock(monkeypatch, 3_600)
    with capture_logs() as lines:
        await wait_for_broker("h:1")
    assert 3_600 <= time.now_s - 100 < 3_606
    assert time.asked > 700
    assert 100 < len(lines) <= 121
    assert [0, 30] == [round(line["waited_s"], -1) for line in lines[:2]]


async def test_a_wait_that_is_too_long_ends_with_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never later than was asked for."""
    time = clock(monkeypatch, 3_600)
    with pytest.raises(BrokerUnavailable):
        await wait_for_broker("h:1", timeout_s=20)
    assert 10 < time.now_s - 100 <= 20


async def test_who_waits_can_be_told_why_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker's health says the latest cause, such as a password that is refused, and not only that none answers."""
    clock(monkeypatch, 3)
    told: list[str] = []
    await wait_for_broker("h:1", tell=told.append)
    assert len(told) > 2
    assert {"No Kafka broker answers."} == set(told)
