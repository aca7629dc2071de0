"""One run: start everything, publish steadily while the schedule happens, wait, count, judge."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, time
from typing import Any, Final

from infra.settings import Settings
from infra.stack import run_until_stopped
from tests.chaos.events import Events
from tests.chaos.faults import Faults
from tests.chaos.publisher import Publisher, publisher
from tests.chaos.report import Report, doubled, judge
from tests.chaos.rig import Rig, StoreProcesses
from tests.chaos.schedule import ARCHIVE, WORKERS, Fault, Profile, draw
from tests.chaos.verify import ARCHIVE_GROUP, Follower, follower, look_into_store
from tests.ports import settle_ports

SAMPLE_S: Final = 0.5
_STUCK_S: Final = 90.0
"""Nothing more is coming when nothing has come for this long."""
_LEAST_PATIENCE_S: Final = 120.0


@dataclass(frozen=True)
class Plan:
    """What to run.

    Args:
        profile: Events, length, faults.
        seed: Decides the schedule and the events.
        folder: Takes the log, the schedule and the report; the data are in it too.
        durable: Whether the store is one that may be killed.
        told: Gets the number of events published, and the words for what is being done.
    """

    profile: Profile
    seed: int
    folder: Path
    durable: bool = False
    told: Callable[[int, str], None] = lambda _events, _doing: None


async def run(plan: Plan, settings: Settings, store: StoreProcesses | None = None) -> Report | None:
    """Run a plan; None when a signal ended it.

    Args:
        plan: What to run.
        settings: With a data directory of the run's own, and a model.
        store: A durable store of the harness's own, whose address the settings name.

    Raises:
        AisleError: A service would not come up.
        NotBack: A process did not come back after its fault.
        KafkaError: An event could not be published.
    """
    for name in ("aiokafka", "kafka"):  # a broker that is away is no news here
        logging.getLogger(name).setLevel(logging.CRITICAL)
    settle_ports(settings.data_dir)
    began = monotonic()
    async with Rig(settings, plan.folder / "log.txt", store) as rig:
        report = await run_until_stopped(rig.stack, lambda: _body(plan, rig))
    if report is not None:
        report.took_s = monotonic() - began
    return report


async def _body(plan: Plan, rig: Rig) -> Report:
    plan.told(0, "starting")
    await rig.until_ready(*WORKERS, ARCHIVE, within_s=180)
    schedule = draw(plan.profile, plan.seed, durable=plan.durable)
    async with publisher(rig.kafka, Events(plan.seed)) as sender, follower(rig.kafka) as following:
        faults = Faults(rig, sender, plan.folder / "schedule.json")
        began = time()
        await _while_following(following, _storm(plan, sender, faults, schedule))
        plan.told(plan.profile.events, "waiting for the last answers")
        deadline = monotonic() + max(_LEAST_PATIENCE_S, plan.profile.lasts_s)  # who is slower than that is not well
        await _until_answered(following, deadline)
        plan.told(plan.profile.events, "waiting for the archive")
        await _until_archived(following, rig.mongodb, deadline)
    return _report(plan, rig, sender, faults, following, began)


async def _storm(plan: Plan, sender: Publisher, faults: Faults, schedule: Sequence[Fault]) -> None:
    async with asyncio.TaskGroup() as tasks:
        happening = tasks.create_task(faults.run(schedule, plan.seed))
        profile = plan.profile
        await sender.flow(profile.events, profile.lasts_s, happening.done, lambda done: plan.told(done, "under fire"))
    await sender.flush()


async def _while_following(following: Follower, work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(work)
    try:
        while not task.done():
            await following.step()
            await asyncio.wait({task}, timeout=SAMPLE_S)
        task.result()
    except ExceptionGroup as group:
        raise _first(group) from group
    finally:
        task.cancel()


def _first(error: Exception) -> Exception:
    """What a group of failed tasks is about: the others were cancelled for it."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


async def _until_answered(following: Follower, deadline: float) -> None:
    """Return when every event has its answer and all of it is committed, or nothing more comes, or time is up."""
    seen, until = -1, monotonic() + _STUCK_S
    while not await following.step() or following.audit.unanswered or not following.audit.all_committed:
        if len(following.audit.answers) != seen:
            seen, until = len(following.audit.answers), monotonic() + _STUCK_S
        if monotonic() > min(until, deadline):
            return
        await asyncio.sleep(SAMPLE_S)


async def _until_archived(following: Follower, mongodb: str, deadline: float) -> None:
    """Return when the archive has committed all there is, or gets no further, or time is up; then look what it left."""
    seen, until = -1, monotonic() + _STUCK_S
    while (lag := await following.lag(ARCHIVE_GROUP)) != 0 and monotonic() < min(until, deadline):
        if lag != seen and lag is not None:
            seen, until = lag, monotonic() + _STUCK_S
        await asyncio.sleep(SAMPLE_S)
    await asyncio.to_thread(look_into_store, following.audit, mongodb)


def _report(plan: Plan, rig: Rig, sender: Publisher, faults: Faults, following: Follower, began: float) -> Report:
    audit = following.audit
    predicted, _ = audit.kinds(sender.dead)
    rows, unexcused = doubled(audit, faults.happened, rig.settings)
    report = Report(
        seed=plan.seed,
        form=plan.profile.name,
        events=plan.profile.events,
        lasts_s=plan.profile.lasts_s,
        store="durable" if plan.durable else "embedded",
        took_s=0.0,
        published=sender.delivered,
        dead_expected=len(sender.dead),
        dead_predicted=predicted,
        samples_missed=following.missed,
        unexcused=unexcused,
        verdict=audit.verdict(),
        faults=rows,
        began=began,
    )
    report.wrong = judge(report)
    return report
