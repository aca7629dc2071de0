"""The monitor: what is due when, what it finds, and that each cause is told once until it is over."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pymongo import UpdateOne

from infra.errors import DeliveryFailed, StoreUnavailable
from infra.health import Health
from infra.metrics import exposition
from infra.metrics.monitor import show_nothing
from workers.monitor.checks import Check, Checks
from workers.monitor.reports import KEPT_DAYS, report_name
from workers.monitor.schedule import is_due, last_tick
from workers.monitor.worker import Job, Monitor, message_of

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


class MemoryStore:
    """Documents in memory, as far as the monitor asks for them."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, dict[str, Any]]] = {}
        self.away = False

    @contextmanager
    def named_errors(self) -> Iterator[None]:
        """Fails while the store is away."""
        if self.away:
            raise StoreUnavailable("No MongoDB server answers.")
        yield

    async def upsert(self, collection: str, operations: Sequence[UpdateOne]) -> None:
        """Sets fields."""
        with self.named_errors():
            for operation in operations:
                key = str(operation._filter["_id"])
                found = self.documents.setdefault(collection, {}).setdefault(key, {"_id": key})
                changes: Any = operation._doc
                found |= changes["$set"]

    def collection(self, name: str) -> Any:
        """What finds the newest, and forgets the oldest."""

        async def find_one(query: Mapping[str, Any], **_: Any) -> dict[str, Any] | None:
            fit = [one for one in self.documents.get(name, {}).values() if one.items() >= query.items()]
            return max(fit, key=lambda one: one["at"], default=None)

        async def delete_many(query: Mapping[str, Any]) -> None:
            before = query["at"]["$lt"]
            self.documents[name] = {key: one for key, one in self.documents[name].items() if one["at"] >= before}

        return SimpleNamespace(find_one=find_one, delete_many=delete_many)


class Hook:
    """A webhook that keeps what it is told, or fails."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.fails = False

    async def post(self, _identity: str, message: dict[str, Any]) -> None:
        """Take a message."""
        if self.fails:
            raise DeliveryFailed("The alert webhook did not take a message.")
        self.messages.append(message)


class Watched:
    """A monitor of one check, whose time and findings are the test's."""

    def __init__(self, store: MemoryStore | None = None, expression: str = "*/15 * * * *") -> None:
        self.store, self.hook = store or MemoryStore(), Hook()
        self.now, self.done = NOON - timedelta(minutes=1), 0
        self.causes: dict[str, str] = {}
        self.tells: Callable[[str], bool] = lambda _cause: True
        self.error: Exception | None = None
        jobs: dict[Any, Job] = {"drift": (expression, self.job)}
        self.monitor = Monitor(self.store, jobs, self.hook, lambda: self.now)  # type: ignore[arg-type] # as above

    async def job(self, now: datetime) -> Check | None:
        """Find what the test says."""
        self.done += 1
        if self.error is not None:
            raise self.error
        return Check("drift", now, "v1", {"share": 0.0}, dict(self.causes), self.tells)

    async def look(self, now: datetime | None = None) -> None:
        """A look at a time, and all that follows."""
        self.now = now or self.now
        await self.monitor.look(Health())
        await self.monitor.told()

    async def next_look(self) -> None:
        """The look after the next quarter of an hour has begun."""
        await self.look(self.now + QUARTER)


@pytest.mark.parametrize(
    ("now", "expected"),
    [(NOON, NOON), (NOON + timedelta(minutes=14, seconds=59), NOON), (NOON + QUARTER, NOON + QUARTER)],
)
def test_the_last_tick_is_the_one_that_has_come(now: datetime, expected: datetime) -> None:
    """At the very second it has come."""
    assert expected == last_tick("*/15 * * * *", now)


@pytest.mark.parametrize(
    ("before", "now", "due"),
    [
        (NOON, NOON + timedelta(seconds=1), False),
        (NOON, NOON + QUARTER - timedelta(seconds=1), False),
        (NOON, NOON + QUARTER, True),
        (NOON - timedelta(days=3), NOON, True),
        (NOON + timedelta(seconds=1), NOON + timedelta(minutes=1), False),
    ],
)
def test_due_when_a_tick_has_come_since(before: datetime, now: datetime, due: bool) -> None:
    """What was missed for days is due once."""
    assert due is is_due("*/15 * * * *", before, now)


async def test_each_tick_is_done_once() -> None:
    """However often it is looked, and however many ticks were missed."""
    watched = Watched()
    for now in (NOON, NOON + timedelta(seconds=10), NOON + timedelta(minutes=14)):
        await watched.look(now)
    assert 1 == watched.done
    await watched.look(NOON + QUARTER)
    assert 2 == watched.done
    await watched.look(NOON + 10 * QUARTER)
    await watched.look(NOON + 10 * QUARTER)
    assert 3 == watched.done


async def test_a_restarted_monitor_does_not_repeat_what_was_done() -> None:
    """The store knows when it was; a later one goes on from there."""
    first = Watched()
    await first.look(NOON)
    second = Watched(first.store)
    await second.look(NOON + timedelta(minutes=5))
    assert 0 == second.done
    await second.look(NOON + QUARTER)
    assert 1 == second.done


async def test_what_was_never_done_waits_for_its_time() -> None:
    """A stack that has just started has other things to do."""
    watched = Watched()
    await watched.look(NOON - timedelta(seconds=30))
    assert 0 == watched.done
    await watched.look(NOON)
    assert 1 == watched.done


@pytest.mark.parametrize("error", [StoreUnavailable("away"), KeyError("a fault of ours")])
async def test_a_check_that_fails_waits_for_its_next_tick(error: Exception) -> None:
    """A store or broker that is away is not asked all the time, and ends nothing."""
    watched = Watched()
    watched.error = error
    await watched.look(NOON)
    await watched.look(NOON + timedelta(minutes=1))
    assert 1 == watched.done
    watched.error = None
    await watched.look(NOON + QUARTER)
    assert 2 == watched.done
    assert 1 == len(watched.store.documents["monitor"])


async def test_a_cause_is_told_once_until_it_is_over() -> None:
    """Once when it begins, once when it is over, and again when it comes back."""
    watched = Watched()
    told = []
    for causes in ({}, {"drift": "much"}, {"drift": "more"}, {}, {}, {"drift": "again"}):
        watched.causes = causes
        await watched.next_look()
        told.append([([one["cause"] for one in m["raised"]], m["cleared"]) for m in watched.hook.messages])
        watched.hook.messages.clear()
    assert [[], [(["drift"], [])], [], [([], ["drift"])], [], [(["drift"], [])]] == told


async def test_a_cause_that_a_check_could_not_tell_of_stands() -> None:
    """Too few verdicts do not make an alert be over, however often it is looked, and it is not told anew after them."""
    watched, told = Watched(), []
    rounds: list[tuple[dict[str, str], set[str]]] = [
        ({"accuracy": "low", "class a": "wrong"}, {"accuracy", "class a"}),
        ({}, {"class a"}),
        ({}, set()),
        ({"accuracy": "lower"}, {"accuracy", "class a"}),
        ({}, {"accuracy"}),
    ]
    for causes, enough in rounds:
        watched.causes, watched.tells = causes, enough.__contains__
        await watched.next_look()
        told.append([([one["cause"] for one in m["raised"]], m["cleared"]) for m in watched.hook.messages])
        watched.hook.messages.clear()
    assert [[(["accuracy", "class a"], [])], [([], ["class a"])], [], [], [([], ["accuracy"])]] == told
    documents = sorted(watched.store.documents["monitor"].values(), key=lambda one: one["at"])
    assert [True, True, True, True, False] == [one["alert"] for one in documents]
    assert {"accuracy": "low"} == documents[2]["causes"]


async def test_a_second_cause_is_told_beside_the_first() -> None:
    """And the first is not told again."""
    watched = Watched(expression="0 * * * *")
    watched.causes = {"canary 1": "wrong"}
    await watched.look(NOON)
    watched.causes = {"canary 1": "wrong", "canary 2": "wrong too"}
    await watched.look(NOON + timedelta(hours=1))
    raised = [[one["cause"] for one in message["raised"]] for message in watched.hook.messages]
    assert [["canary 1"], ["canary 2"]] == raised


async def test_a_cause_that_nobody_could_be_told_is_told_with_the_next_check() -> None:
    """A webhook that is away for a while loses no alert."""
    watched = Watched()
    watched.causes, watched.hook.fails = {"drift": "much"}, True
    await watched.next_look()
    assert [] == watched.hook.messages
    watched.hook.fails = False
    await watched.next_look()
    await watched.next_look()
    assert 1 == len(watched.hook.messages)


async def test_a_restarted_monitor_does_not_tell_again() -> None:
    """What people know of is in the store."""
    first = Watched()
    first.causes = {"drift": "much"}
    await first.look(NOON)
    second = Watched(first.store)
    second.causes = {"drift": "much"}
    await second.look(NOON + QUARTER)
    assert 1 == second.done
    assert [] == second.hook.messages


async def test_a_check_is_a_document() -> None:
    """In the form that the retraining worker, and whoever else, reads."""
    watched = Watched()
    watched.causes = {"drift": "much"}
    await watched.look(NOON)
    (document,) = watched.store.documents["monitor"].values()
    expected = {
        "_id": "drift-v1-20261122T120000Z",
        "kind": "drift",
        "at": NOON,
        "model_version": "v1",
        "alert": True,
        "causes": {"drift": "much"},
        "told": ["drift"],
        "share": 0.0,
    }
    assert expected == document


async def test_the_figures_are_there_for_prometheus() -> None:
    """How much is wrong, and 0 again when it is over."""
    watched = Watched()
    for causes, expected in (
        ({"drift": "much"}, b'aisle_alerts{kind="drift"} 1.0'),
        ({}, b'aisle_alerts{kind="drift"} 0.0'),
    ):
        watched.causes = causes
        await watched.next_look()
        assert expected in exposition()


async def test_what_stands_is_shown_by_the_monitor_that_takes_over() -> None:
    """Prometheus sees an alert for as long as it stands, also from a monitor that has checked nothing yet."""
    before = Watched()
    before.causes = {"drift": "much"}
    await before.look(NOON)
    show_nothing()
    assert b'aisle_alerts{kind="drift"}' not in exposition()

    after = Watched(before.store)
    await after.look(NOON + timedelta(minutes=1))
    assert 0 == after.done
    assert b'aisle_alerts{kind="drift"} 1.0' in exposition()


async def test_old_checks_are_forgotten() -> None:
    """After 90 days."""
    store = MemoryStore()
    checks = Checks(store)  # type: ignore[arg-type] # as far as it is asked
    for days in (0, 89, 91):
        await checks.keep(Check("drift", NOON - timedelta(days=days), "v1", {}))
    await checks.forget(NOON)
    assert 2 == len(store.documents["monitor"])


async def test_a_store_that_is_away_is_said() -> None:
    """And nothing is done that nobody knows whether it was done."""
    watched = Watched()
    watched.store.away = True
    with pytest.raises(StoreUnavailable):
        await watched.look(NOON)
    assert 0 == watched.done


def test_the_message_names_what_and_which_model() -> None:
    """Enough to act on without a look at anything else."""
    check = Check("accuracy", NOON, "v1", {}, {"accuracy": "It is 0.5."})
    message = message_of(check, SimpleNamespace(raised=check.causes, cleared=["drift"]))  # type: ignore[arg-type] # is one
    assert {"cause": "accuracy", "why": "It is 0.5."} in message["raised"]  # type: ignore[operator] # is a list
    assert ("accuracy", "v1", ["drift"]) == (message["kind"], message["model_version"], message["cleared"])


def test_one_report_a_day_and_one_more_for_an_alert(tmp_path: Path) -> None:
    """So that what was seen at an alert stays, and the disk does not fill."""
    folder = tmp_path / "monitor" / "2026-11-22"
    assert (folder, "drift") == report_name(tmp_path, NOON, alert=False) == report_name(tmp_path, NOON, alert=True)
    folder.mkdir(parents=True)
    (folder / "drift.html").touch()
    assert report_name(tmp_path, NOON + QUARTER, alert=False) is None
    assert (folder, "drift-121500") == report_name(tmp_path, NOON + QUARTER, alert=True)
    assert 90 == KEPT_DAYS
