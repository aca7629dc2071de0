"""Steps of long work: what is said of the time left."""

import pytest

from scripts import steps
from scripts.steps import Pace


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The steps' clock."""
    clock = Clock()
    monkeypatch.setattr(steps, "monotonic", clock)
    return clock


def test_the_time_left_is_that_of_the_pace_so_far(clock: Clock) -> None:
    """A quarter in a minute leaves three minutes."""
    pace = Pace()
    clock.now += 60

    assert "about 3 min left" == pace.left(0.25)
    assert "" == pace.left(1.0)


def test_what_was_done_before_says_nothing_of_the_rest(clock: Clock) -> None:
    """Half is done at once, as it was kept; the other half goes on at its own pace."""
    pace = Pace()
    assert "" == pace.left(0.5)
    clock.now += 60

    assert "" == pace.left(0.5)
    assert "about 60 s left" == pace.left(0.75)


def test_long_work_says_how_far_it_is(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is no terminal: a line at the beginning, and one every half minute."""
    with steps.steps_shown() as told:
        for _ in range(100):
            told("training", (clock.now - 100) / 100)
            clock.now += 1
        told("measuring", 0.0)

    lines = capsys.readouterr().err.splitlines()
    assert ["training …", "training … 31%, about 69 s left", "training … 62%, about 38 s left"] == lines[:3]
    assert ["training … 93%, about 7 s left", "measuring …"] == lines[3:]
