"""When the intake is called stuck, and when it only looks so."""

from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from aiokafka.errors import KafkaConnectionError

from infra.kafka.intake import Intake

LOOK_EVERY_S = 5.0


class Clock:
    """A monotonic clock that goes when it is told to."""

    now = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The intake's clock; records always wait at the broker."""
    clock = Clock()
    monkeypatch.setattr("infra.kafka.intake.monotonic", clock)
    monkeypatch.setattr("infra.kafka.intake.unread", lambda _client, _ends: 5)
    return clock


@pytest.fixture
def batching() -> Mock:
    """Counts batches as it is told to."""
    return Mock(batches=0)


@pytest.fixture
def broker() -> AsyncMock:
    """Answers what the ends of the partitions are."""
    return AsyncMock(return_value={})


@pytest.fixture
def intake(batching: Mock, broker: AsyncMock) -> Intake:
    """An intake with room, on a consumer whose flow is on."""
    consumer: Any = Mock(flow_active=True, highwaters=broker)
    consumer.assignment.return_value = {"p"}
    return Intake(consumer, batching, Mock(suspects=False))


async def test_records_that_wait_and_do_not_come_are_counted_in_seconds(intake: Intake, clock: Clock) -> None:
    """Look after look finds records at the broker and no batch: that long it has been stuck."""
    seen = []
    for _ in range(6):
        await intake.watch()
        seen.append(intake.stuck_s)
        clock.now += LOOK_EVERY_S
    assert [0, 5, 10, 15, 20, 25] == seen


async def test_an_intake_under_load_is_not_stuck(intake: Intake, clock: Clock, batching: Mock) -> None:
    """Records wait at every look and batches come between the looks: it never ages beyond one look."""
    for _ in range(6):
        await intake.watch()
        clock.now += LOOK_EVERY_S
        assert intake.stuck_s <= LOOK_EVERY_S
        batching.batches += 1


async def test_a_broker_that_does_not_answer_is_no_fault_of_the_intake(
    intake: Intake, clock: Clock, broker: AsyncMock
) -> None:
    """Nothing is known of what waits at a broker that is away: the worker waits for it, and does not end."""
    await intake.watch()
    broker.side_effect = KafkaConnectionError("away")
    clock.now += LOOK_EVERY_S
    with pytest.raises(KafkaConnectionError):
        await intake.watch()
    clock.now += 60
    assert 0.0 == intake.stuck_s
