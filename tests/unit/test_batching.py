"""Sizes and waits of micro-batches, from costs, arrivals and bounds."""

import random

import pytest

from infra.kafka import batching
from infra.kafka.batching import Batching, BatchLimits, Cost

LIMITS = BatchLimits(max_events=1_000, max_bytes=1_000_000, max_wait_s=0.01, latency_target_s=0.1)


class Clock:
    """A clock that goes when told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the module."""
    clock = Clock()
    monkeypatch.setattr(batching, "monotonic", clock)
    return clock


def seen(cost_a: float, cost_b: float, limits: BatchLimits = LIMITS) -> Batching:
    """Batching after many calls of that cost."""
    made = Batching(limits)
    for events in [1, 10, 50, 100, 200] * 40:
        made.done(events, cost_a * events + cost_b)
    return made


@pytest.mark.parametrize(("a", "b"), [(50e-6, 3e-3), (1e-3, 1e-4), (2e-6, 20e-3), (0.2, 0.0)])
def test_the_fit_finds_both_costs_through_noise(a: float, b: float) -> None:
    """Calls vary by a tenth, now and then one is held up: small and large ones are forecast all the same."""
    dice = random.Random(4)
    cost = Cost()
    for _ in range(400):
        events = dice.randint(1, 300)
        seconds = (a * events + b) * dice.uniform(0.9, 1.1)
        cost.observe(events, seconds * (3 if dice.random() < 0.01 else 1))
    for events in (1, 300):
        assert cost.forecast(events) == pytest.approx(a * events + b, rel=0.3, abs=2 * a)


def test_the_fit_follows_a_model_that_got_slower() -> None:
    """After as many calls as it remembers, what was before is forgotten."""
    cost = Cost()
    for slower in (1, 10):
        for events in [1, 50, 200] * 100:
            cost.observe(events, slower * (50e-6 * events + 2e-3))
    assert cost.per_event_s == pytest.approx(500e-6, rel=0.1)
    assert cost.per_batch_s == pytest.approx(20e-3, rel=0.1)


def test_calls_of_one_size_do_not_unlearn_the_fixed_cost() -> None:
    """Under a backlog every batch has the same size, which says nothing of b: it stays, a follows."""
    cost = Cost()
    for events in [1, 50, 200] * 50 + [500] * 500:
        cost.observe(events, 50e-6 * events + 2e-3)
    assert cost.per_batch_s == pytest.approx(2e-3, rel=0.1)
    assert cost.per_event_s == pytest.approx(50e-6, rel=0.1)


@pytest.mark.parametrize(
    ("a", "b", "limit"),
    [
        (50e-6, 0.5e-3, 500),  # beyond 500 events, b is less than a fiftieth
        (50e-6, 20e-3, 600),  # half the latency target of 100 ms is reached at 600
        (1e-6, 1e-3, 1_000),  # the setting bounds it
        (1e-4, 1e-9, 256),  # without a fixed cost small batches are as good
        (0.2, 1e-3, 1),  # one event alone takes longer than the target
    ],
)
def test_batches_grow_to_what_is_worth_it(a: float, b: float, limit: int) -> None:
    """The smallest of: b is a small part, the latency target, the settings."""
    assert seen(a, b).limit == pytest.approx(limit, rel=0.15, abs=1)


def test_large_payloads_make_small_batches(clock: Clock) -> None:
    """Photos of 200 kB: five fill the megabyte; small records later let it grow again."""
    made = seen(50e-6, 1e-3)
    made.arrived(10, 10 * 200_000)
    assert 5 == made.limit
    for _ in range(100):
        clock.now += 0.1
        made.arrived(10, 10 * 300)
    assert made.limit > 300


def test_under_light_load_nothing_waits(clock: Clock) -> None:
    """Ten events a second and a fixed cost of 3 ms: the next one is too far away to wait for."""
    made = seen(50e-6, 3e-3)
    for _ in range(100):
        clock.now += 0.1
        made.arrived(1, 300)
        assert 0.0 == made.wait_s(1)


def test_a_wait_pays_when_the_next_events_are_near(clock: Clock) -> None:
    """Two thousand a second: one event is held back for a few more; a batch that has them is not."""
    made = seen(50e-6, 3e-3)
    for _ in range(4_000):
        clock.now += 0.0005
        made.arrived(1, 300)
    assert 0.001 < made.wait_s(1) <= LIMITS.max_wait_s
    assert 0.0 == made.wait_s(7)


def test_the_longest_wait_is_a_setting(clock: Clock) -> None:
    """However much a wait would save; 0 never waits."""
    for longest in (0.0, 0.002):
        made = seen(50e-6, 50e-3, BatchLimits(1_000, 1_000_000, longest, latency_target_s=1))
        for _ in range(400):
            clock.now += 0.01
            made.arrived(1, 300)
        assert longest == made.wait_s(1)


def test_after_a_pause_the_first_event_does_not_wait(clock: Clock) -> None:
    """The rate of a minute ago says nothing of now."""
    made = seen(50e-6, 3e-3)
    for _ in range(1_000):
        clock.now += 0.0005
        made.arrived(1, 300)
    clock.now += 60
    assert 0.0 == made.wait_s(1)
