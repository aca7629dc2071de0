"""Schedules are drawn from their seed alone, and have in them what their form promises."""

from collections import Counter

import pytest

from infra.settings import Settings
from tests.chaos.audit import Audit, Repeat
from tests.chaos.events import Events
from tests.chaos.faults import Happened
from tests.chaos.report import doubled, owner
from tests.chaos.schedule import CI, LONG, SHORT, STORE, WORKERS, Fault, Profile, draw


@pytest.mark.parametrize("profile", [SHORT, CI, LONG])
def test_a_seed_is_a_schedule(profile: Profile) -> None:
    """The same seed gives the same faults and events, another gives others."""
    assert draw(profile, 7) == draw(profile, 7)
    assert draw(profile, 7) != draw(profile, 8)
    assert list(Events(7).storm("a")) == list(Events(7).storm("a"))
    assert Events(7).steady(1).event_id != Events(8).steady(1).event_id


@pytest.mark.parametrize("seed", range(20))
def test_the_ci_form_has_what_it_promises(seed: int) -> None:
    """At least 12 SIGKILL, 2 SIGTERM, a zombie, one broker kill and a store pause, spread over both workers."""
    faults = draw(CI, seed)
    kinds = Counter((fault.kind, fault.target) for fault in faults)

    assert sum(count for (kind, _), count in kinds.items() if kind == "kill") >= 13
    assert 2 == sum(count for (kind, _), count in kinds.items() if kind == "terminate")
    assert 1 == kinds["kill", "kafka"] == kinds["pause", STORE] == sum(kinds["pause", one] for one in WORKERS)
    assert {20.0} == {fault.lasts_s for fault in faults if fault.kind == "pause"}
    assert all(0 < fault.at_s < CI.lasts_s for fault in faults)
    assert {5, 6} == {sum(fault.target == one for fault in faults) for one in WORKERS}
    assert CI.events >= 50_000


def test_only_a_durable_store_is_killed() -> None:
    """The embedded one may lose its last second."""
    assert ("kill", STORE) not in {(fault.kind, fault.target) for fault in draw(CI, 1)}
    assert 3 == sum((fault.kind, fault.target) == ("kill", STORE) for fault in draw(CI, 1, durable=True))


def happened(began: float, target: str = "classify-1") -> Happened:
    """A worker killed at a time, back ten seconds later."""
    return Happened(Fault(0, "kill", target), began, began + 10)


@pytest.mark.parametrize(
    ("before_s", "again_s", "expected"),
    [
        (99.5, 115, 0),  # answered, then killed before the commit
        (105, 115, 0),  # answered during the rebalance that the first kill caused
        (119, 125, 1),
        (119, 119.5, 0),  # came again before the second kill
        (50, 60, None),
    ],
)
def test_a_repeat_is_put_down_to_a_fault(before_s: float, again_s: float, expected: int | None) -> None:
    """The one that kept the first answer from being committed; else the last before; nothing explains an early one."""
    causes = [happened(100), happened(120, "classify-2")]

    assert expected == owner(Repeat(int(before_s * 1_000), int(again_s * 1_000)), causes, 2)


def test_faults_have_limits_of_batches_in_flight_and_one_commit() -> None:
    """Three batches of a killed worker and the answers of the last interval; a killed archive repeats nothing."""
    audit, settings = Audit(), Settings(batch_max_events=100, commit_interval_s=1)
    for number in range(50):
        audit.answered(0, number.to_bytes(16), 99_000 + number, dead=False)
    audit.answered(0, (0).to_bytes(16), 110_000, dead=False)

    rows, unexcused = doubled(audit, [happened(90, "archive"), happened(100)], settings)

    assert [(0, 0), (1, 350)] == [(row.repeats, row.limit) for row in rows]
    assert 0 == unexcused
