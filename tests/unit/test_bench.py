"""The benches' own arithmetic: a wrong figure looks as good as a right one."""

from pathlib import Path

import pytest

from tests.bench import report
from tests.bench.competitors.task import Stopwatch, Task
from tests.bench.stream_throughput import AISLE, BARE, COMPETITORS, Plan, limits, steps
from tests.bench.worker import mean, quantile

PAGE = Path(__file__).parents[2] / "docs" / report.PAGE


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The stopwatch's clock."""
    clock = Clock()
    monkeypatch.setattr("time.perf_counter", clock)
    return clock


def task(**fields: float) -> Task:
    """A measurement of two seconds after one of warm-up."""
    given = {"mode": "answers", "bootstrap": "", "group": "", "backlog": 10_000, "seconds": 2.0, "warmup_s": 1.0}
    return Task(**given | {"broker_pid": 0, "bundle": None, "variant": ""} | fields)  # type: ignore[arg-type]


def test_only_what_is_done_after_the_warm_up_counts(clock: Clock) -> None:
    """1,000 events/s for two seconds are a rate of 1,000, however slow the beginning was."""
    stopwatch = Stopwatch(task())
    over = []
    for clock.now, events in ((10.0, 5), (11.5, 7), (12.5, 1_000), (13.5, 1_000), (14.0, 9)):
        over.append(stopwatch.over or stopwatch.add(events))

    assert [False, False, False, True, True] == over
    assert (2_000, 2.0, 1_000.0) == tuple(stopwatch.report()[name] for name in ("events", "seconds", "rate"))


def test_the_end_of_the_backlog_ends_a_measurement(clock: Clock) -> None:
    """A program that is faster than the backlog is long is measured on what there was, after its first batch."""
    stopwatch = Stopwatch(task(backlog=300))
    assert not stopwatch.add(100)
    clock.now = 0.5
    assert stopwatch.add(200)

    assert 400.0 == stopwatch.report()["rate"]


def test_events_in_flight_count_when_they_are_confirmed(clock: Clock) -> None:
    """Who awaits deliveries by checkpoint is measured until the checkpoint."""
    stopwatch = Stopwatch(task(backlog=300))
    stopwatch.add(100, in_flight=True)
    clock.now = 0.5
    assert stopwatch.add(200, in_flight=True)
    clock.now = 1.0
    stopwatch.finish()

    assert 200.0 == stopwatch.report()["rate"]


def test_programs_take_turns_and_the_model_follows_the_pipeline() -> None:
    """Every program once a round, backwards every other round; the bare model after the batches it repeats."""
    order = [one for mode, one in steps(Plan(2, 1, 1, 1), foreign=True) if mode == "classify"]

    assert [*COMPETITORS, BARE, *reversed(COMPETITORS), BARE] == order


def test_the_limit_is_what_model_and_broker_leave() -> None:
    """20 and 5 microseconds an event allow 80,000 events/s on two cores."""
    rows = {
        "classify": {AISLE.title: {"rate": 60_000.0, "broker_us": 5.0}, BARE.title: {"rate": 80_000.0, "cpu_us": 20.0}}
    }
    found = limits(rows, cores=2)

    assert (80_000, 0.75, 0.75) == (found["limit"], found["pipeline_of_limit"], found["pipeline_of_bare"])


def test_a_quantile_lies_within_its_bucket() -> None:
    """Of 100 values between two readings, 98 below 0.1 and 2 up to 0.2, the 99th percentile is 0.15."""
    before = {"x_bucket<0.1": 5.0, "x_bucket<0.2": 5.0, "x_bucket<+Inf": 5.0, "x_sum": 1.0, "x_count": 5.0}
    after = {"x_bucket<0.1": 103.0, "x_bucket<0.2": 105.0, "x_bucket<+Inf": 105.0, "x_sum": 6.0, "x_count": 105.0}

    assert quantile(before, after, "x", 0.99) == pytest.approx(0.15)
    assert mean(before, after, "x") == pytest.approx(0.05)
    assert quantile(after, after, "x", 0.99) is None


def test_a_section_replaces_the_former_one_and_nothing_else() -> None:
    """What people wrote around the markers stays."""
    page = f"above\n{report.BEGIN}\nold\n{report.END}\nbelow\n"

    assert f"above\n{report.BEGIN}\nnew\n{report.END}\nbelow\n" == report.placed(page, "new\n")
    with pytest.raises(ValueError, match="no lines"):
        report.placed("no markers", "new\n")


def test_the_page_has_a_place_for_the_section() -> None:
    """`make bench ARGS="stream --docs"` knows after twenty minutes where to write."""
    assert report.placed(PAGE.read_text(), "")
