"""The retraining worker on a real store: each trigger once, one training at a time, whatever is killed or asleep."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from infra.lease import Lease
from infra.runs import Run, Runs
from infra.settings import Settings
from infra.store import FEEDBACK, ITEMS, Store
from schemas.ids import CANARY
from workers.retrain import worker as module
from workers.retrain.errors import TrainingEnded, TrainingFailed
from workers.retrain.figures import Cut, count, cut_now
from workers.retrain.wakeup import Wakeup
from workers.retrain.worker import MAX_ATTEMPTS, Retrainer

pytestmark = pytest.mark.integration

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLASSES = ("food", "toys")


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def goes(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    """At noon."""
    return Clock()


async def judge(
    store: Store,
    numbers: Iterable[int],
    *,
    at: datetime,
    code: str = "toys",
    verdict: str = "corrected",
    product_id: str = "p",
) -> None:
    """Items that the model v1 called food, and what a person says of them."""
    for number in numbers:
        category = {"category": {"code": "food"}, "model": {"version": "v1"}, "modalities": ["title"]}
        item = {"_id": f"e{number}", "product_id": f"{product_id}{number}", "prediction": category}
        await store.collection(ITEMS).insert_one(item)
        document = {"_id": f"f{number}", "event_id": f"e{number}", "content": f"c{number}", "verdict": verdict}
        more = {"code": code} if verdict == "corrected" else {}
        await store.collection(FEEDBACK).insert_one(document | more | {"by": "ann", "at": at, "known_at": at})


async def test_one_holds_the_lease_and_one_that_slept_has_lost_it(store: Store, clock: Clock) -> None:
    """The lease passes on once it has run out, with a higher epoch; its former holder cannot renew it."""
    ann, ben = (Lease(store, "x", name, lasts_s=30, clock=clock) for name in ("ann", "ben"))
    assert [True, False] == [await ann.take(), await ben.take()]
    clock.goes(seconds=29)
    assert [True, False] == [await ann.renew(), await ben.take()]
    clock.goes(seconds=31)
    first = ann.epoch
    assert await ben.take()
    assert first + 1 == ben.epoch
    assert not await ann.renew()
    await ben.drop()
    assert await ann.take()
    assert first + 2 == ann.epoch


async def test_a_run_is_asked_for_once_and_written_under_the_latest_lease(store: Store) -> None:
    """Of two who ask for the run after the same one, one is heard; a former holder writes nothing."""
    runs = Runs(store)
    first = await runs.ask("corrections", "why", "trigger", {}, after=0)
    assert first is not None
    assert await runs.ask("corrections", "why", "trigger", {}, after=0) is None
    assert await runs.begin(first, 2, {})
    assert [False, True] == [await runs.write(1, 1, {"step": "old"}), await runs.write(1, 2, {"step": "new"}, "said")]
    assert not await runs.begin(first, 1, {})
    stands = await runs.get(1)
    assert stands is not None
    assert ("new", ["said"], 1) == (stands.step, [line.said for line in stands.log], stands.attempt)
    assert 2 == (await runs.ask_by_hand("ann", "why")).id


async def test_contents_are_counted_once_and_only_what_is_new(store: Store) -> None:
    """A content counts once, whoever says what of it; what is no correction is none; a cut is where counts begin."""
    await judge(store, range(5), at=NOON)
    await judge(store, [5], at=NOON, verdict="validated")
    await judge(store, [6], at=NOON, code="food")  # as the model said
    await judge(store, [7], at=NOON, verdict="rejected")
    again = {"_id": "again", "event_id": "e0", "content": "c0", "verdict": "corrected", "code": "toys", "by": "ben"}
    await store.collection(FEEDBACK).insert_one(again | {"at": NOON, "known_at": NOON})
    found = await count(store, "v1", CLASSES, Cut(), 200)
    assert (5, 7, 0, 7) == (found.corrections, found.new_rows, found.missing_classes, found.judged)
    assert 2 / 7 == found.accuracy
    cut = await cut_now(store, NOON + timedelta(minutes=1))
    assert 0 == (await count(store, "v1", CLASSES, cut, 200)).new_rows
    await judge(store, [8], at=NOON - timedelta(seconds=50))  # shows late
    later = await count(store, "v1", CLASSES, cut, 200)
    assert (1, 1) == (later.corrections, later.new_rows)
    assert 0 == (await count(store, "v2", CLASSES, cut, 200)).judged  # nothing yet of another model
    await judge(store, range(20, 25), at=NOON + timedelta(minutes=2), product_id=CANARY)
    assert later == await count(store, "v1", CLASSES, cut, 200)  # canaries are nobody's products


class Rig:
    """Retraining workers whose trainings are played."""

    def __init__(self, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store, self.clock = store, clock
        self.settings = Settings(_env_file=None, retrain_corrections=3, retrain_schedule=None)
        self.trained: list[int] = []
        self.fails: list[Exception] = []
        champion = SimpleNamespace(event=SimpleNamespace(model=SimpleNamespace(version="v1")), challenger=None)
        monkeypatch.setattr(module, "look_up", lambda _settings: champion)
        monkeypatch.setattr(module, "figures_now", self._figures)
        monkeypatch.setattr(module, "Trainer", lambda *_: self)
        monkeypatch.setattr(module, "conclude", self._conclude)
        monkeypatch.setattr(module, "forget_refused", lambda _runs, _settings: None)

    def worker(self) -> Retrainer:
        """Another one; it has heard that something was said."""
        return Retrainer(self.settings, self.store, Wakeup(), self.clock)

    async def turn(self, worker: Retrainer) -> int | None:
        """What a worker does in a round: the number of the run that it saw through."""
        if not await worker.lease.take():
            return None
        worker._wakeup = Wakeup()
        run = await worker.next_run()
        if run is None:
            return None
        await worker.see_through(run)
        return run.id

    async def carry_out(self, run: Run, epoch: int) -> Run:
        """Instead of a process."""
        self.trained.append(run.id)
        if self.fails:
            raise self.fails.pop(0)
        await Runs(self.store).write(run.id, epoch, {"decision": {"passed": False}, "version": f"m{run.id}"})
        return run

    async def record(self) -> None:
        """Instead of MLflow."""

    async def _figures(self, store: Store, settings: Settings, champion: Any, cut: Cut) -> Any:
        return await count(store, champion.model.version, CLASSES, cut, settings.retrain_judged)

    async def _conclude(self, run: Run, _settings: Settings) -> tuple[str, str]:
        return "refused", f"run {run.id}"


@pytest.fixture
def rig(store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """Without runs, without verdicts."""
    return Rig(store, clock, monkeypatch)


async def test_a_trigger_fires_once_also_with_two_workers_and_after_a_restart(rig: Rig) -> None:
    """Three corrections train once; whoever looks next, or starts anew, finds nothing to do until three more."""
    ann, ben = rig.worker(), rig.worker()
    await judge(rig.store, range(2), at=NOON)
    assert await rig.turn(ann) is None
    await judge(rig.store, [2], at=NOON)
    assert [1, None, None] == [await rig.turn(ann), await rig.turn(ben), await rig.turn(ann)]
    rig.clock.goes(hours=1)
    assert await rig.turn(rig.worker()) is None  # takes the lease, which has run out
    await judge(rig.store, range(3, 10), at=rig.clock())  # jumps over the number
    rig.clock.goes(hours=1)
    assert [2, None] == [await rig.turn(rig.worker()), await rig.turn(ann)]
    assert [1, 2] == rig.trained


async def test_a_run_whose_worker_died_is_gone_on_with_and_never_doubled(rig: Rig) -> None:
    """A worker that never came back leaves its run to the next one; if it wakes up, nothing it says counts."""
    ann, ben = rig.worker(), rig.worker()
    await judge(rig.store, range(3), at=NOON)
    assert await ann.lease.take()
    run = await ann.next_run()
    assert run is not None
    begun = await ann._begun(run)
    rig.clock.goes(minutes=5)
    assert 1 == await rig.turn(ben)
    assert [1] == rig.trained
    await ann._end(begun, "promoted", "by one who slept")
    stands = await Runs(rig.store).get(1)
    assert stands is not None
    assert ("refused", 2) == (stands.state, stands.attempt)
    assert not await ann.lease.renew()


async def test_a_training_that_is_ended_again_and_again_is_given_up(rig: Rig) -> None:
    """Its process ends, and it is begun anew; the third time the run has failed, and the next trigger is open."""
    ann = rig.worker()
    await judge(rig.store, range(3), at=NOON)
    rig.fails = [TrainingEnded("killed") for _ in range(MAX_ATTEMPTS)]
    assert [1] * MAX_ATTEMPTS == [await rig.turn(ann) for _ in range(MAX_ATTEMPTS)]
    stands = await Runs(rig.store).get(1)
    assert stands is not None
    assert ("failed", "killed", [1] * MAX_ATTEMPTS) == (stands.state, stands.outcome, rig.trained)
    assert await rig.turn(ann) is None  # it rests
    rig.clock.goes(minutes=31)
    assert 2 == await rig.turn(rig.worker())  # of what failed nothing was learned


async def test_what_no_retry_mends_fails_at_once(rig: Rig) -> None:
    """A base set that is gone is said, and not tried three times."""
    ann = rig.worker()
    rig.fails = [TrainingFailed("gone")]
    await judge(rig.store, range(3), at=NOON)
    assert 1 == await rig.turn(ann)
    assert ["failed"] == [run.state for run in await Runs(rig.store).latest(2)]


async def test_a_run_by_hand_goes_whatever_triggers_say_and_can_be_cancelled(rig: Rig) -> None:
    """One that is cancelled before it began never trains; the next one does."""
    ann, runs = rig.worker(), Runs(rig.store)
    one, two = await runs.ask_by_hand("eve", "because"), await runs.ask_by_hand("eve", "because")
    assert await runs.cancel(one.id)
    assert [1, 2, None] == [await rig.turn(ann) for _ in range(3)]
    assert ["refused", "cancelled"] == [run.state for run in await runs.latest(2)]
    assert [two.id] == rig.trained
    assert not await runs.cancel(two.id)
