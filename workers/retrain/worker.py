"""The retraining worker: watches what people say, and trains when a trigger fires, one training at a time.

1. It takes the lease; whoever has it not waits.
2. A run that was begun and not ended is gone on with, one that was asked for is begun, else triggers are looked at.
3. A run's work is done by a process of its own, which ends with the lease, or when the run is cancelled.
4. What passed the gate is put in service, if the champion is still the one it was compared with.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Coroutine
from time import monotonic
from typing import Any, Final, TypeVar
from uuid import uuid4

from infra.endpoints import find_kafka, find_mongodb
from infra.health import Health
from infra.lease import Clock, Lease, utc_now
from infra.logging import get_logger
from infra.metrics.retrain import GATE, RUNS, STARTED
from infra.runs import LEASE, OPEN, Run, Runs, State
from infra.settings import Settings
from infra.store import Store
from infra.store_schema import prepare
from schemas.errors import AisleError
from workers.promotion import InForce, look_up
from workers.retrain.errors import TrainingGivenUp
from workers.retrain.figures import cut_now
from workers.retrain.outcome import conclude, forget_refused
from workers.retrain.trainer import LostRun, Trainer
from workers.retrain.triggers import fired, rests_until
from workers.retrain.wakeup import Wakeup
from workers.retrain.watched import figures_now, last_cut
from workers.shadow import promote_better

MAX_ATTEMPTS: Final = 3

_LOOK_EVERY_S: Final = 2.0
_RENEW_EVERY_S: Final = 5.0
_SHADOW_EVERY_S: Final = 600.0
_AGAIN_S: Final = 30.0  # after what went wrong, once more for each attempt

T = TypeVar("T")

logger = get_logger(__name__)


async def main(settings: Settings, health: Health) -> None:
    """Work until cancelled."""
    store = Store(find_mongodb(settings), settings.mongodb_database)
    health.waits_for("store", f"no MongoDB server answers at {store.address}")
    await store.wait()
    await store.retrying(lambda: prepare(store), settings.retry_budget_s)  # it may answer and yet have no primary
    health.has("store")
    wakeup = Wakeup()
    async with wakeup.listening(find_kafka(settings), health):
        worker = Retrainer(settings, store, wakeup)
        health.has("start")
        try:
            await worker.work(health)
        finally:
            with contextlib.suppress(AisleError):
                await worker.lease.drop()
            store.close()


class Retrainer:
    """Decides when to train, and sees it through.

    Args:
        settings: The triggers, and what a training runs with.
        store: Where verdicts, runs and the lease are.
        wakeup: Says when somebody has said something.
        clock: Tells the time.
    """

    def __init__(self, settings: Settings, store: Store, wakeup: Wakeup, clock: Clock = utc_now) -> None:
        self._settings = settings
        self._store = store
        self._wakeup = wakeup
        self._clock = clock
        self._runs = Runs(store)
        self._looked_at = float("-inf")
        holder = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self.lease = Lease(store, LEASE, holder, clock=clock)

    async def work(self, health: Health) -> None:
        """Go on for ever. Whatever goes wrong is said and tried again: verdicts wait, and people see why."""
        while True:
            pause_s = _LOOK_EVERY_S
            try:
                if not await self.lease.take():
                    health.says("retraining", "another worker has the lease")
                elif (run := await self.next_run()) is not None:
                    health.says("retraining", f"run {run.id}")
                    pause_s = await self.see_through(run)
                else:
                    health.says("retraining", "waiting for a trigger")
            except AisleError as error:
                health.says("retraining", f"not now: {error.message}")
                logger.warning("not now, trying again", error=error.code, why=error.message, hint=error.hint or None)
                pause_s = _LOOK_EVERY_S if error.retryable else _AGAIN_S
            await self._pause(pause_s)

    async def next_run(self) -> Run | None:
        """The run to see through now; None while there is none."""
        waiting = await self._runs.latest(limit=100, states=OPEN)
        if waiting:
            return waiting[-1]
        return await self._triggered() if self._wakeup.is_due() else None

    async def see_through(self, run: Run) -> float:
        """Bring a run to its end, be it good or bad. One that another worker has by now is left to that.

        Returns:
            Seconds to wait before anything else is done.
        """
        STARTED.set((run.started_at or self._clock()).timestamp())
        try:
            if run.cancel and run.decision is None:
                await self._end(await self._begun(run), "cancelled", "cancelled before it was done")
            else:
                await self._carry_out(run)
        except LostRun:
            await self._look_after(run)
        except AisleError as error:
            return await self._failed(run, error)
        finally:
            STARTED.set(0)
        return 0.0

    async def _carry_out(self, run: Run) -> None:
        run = await self._begun(run)
        if run.decision is None:
            if run.attempt > MAX_ATTEMPTS:
                raise TrainingGivenUp(f"It was begun {MAX_ATTEMPTS} times, and each time its process was ended.")
            run = await self._held(run, Trainer(self._settings, self._runs).carry_out(run, self.lease.epoch))
        stands = await self._runs.get(run.id)
        if not await self.lease.renew() or stands is None or stands.cancel:
            raise LostRun
        GATE.labels(outcome="passed" if (run.decision or {}).get("passed") else "refused").inc()
        # From here on a cancel comes too late: what is published is published.
        state, outcome = await conclude(run, self._settings)
        await self._end(run, state, outcome)
        if self._settings.mlflow:
            await Trainer(self._settings, self._runs).record()
        refused = await self._runs.latest(limit=100, states=("refused",))
        await asyncio.to_thread(forget_refused, refused, self._settings)

    async def _begun(self, run: Run) -> Run:
        """The run as this worker's own, with a cut: what was said before it is what it learns from."""
        now = self._clock()
        fields: dict[str, Any] = {"started_at": run.started_at or now, "step": "starting", "part": 0.0}
        if run.set_version is None:
            cut = await cut_now(self._store, now)
            fields |= {"cut_at": cut.at, "counted": None if cut.counted is None else sorted(cut.counted)}
        if not await self._runs.begin(run, self.lease.epoch, fields):
            raise LostRun
        logger.info("training", run=run.id, trigger=run.trigger, why=run.why, attempt=run.attempt + 1)
        begun = await self._runs.get(run.id)
        if begun is None:
            raise LostRun
        return begun

    async def _held(self, run: Run, work: Coroutine[Any, Any, T]) -> T:
        """Work for as long as the lease is held and nobody cancels the run."""
        task = asyncio.create_task(work)
        try:
            while not (await asyncio.wait({task}, timeout=_RENEW_EVERY_S))[0]:
                with contextlib.suppress(AisleError):  # where the store is away, nobody else can take the lease
                    stands = await self._runs.get(run.id)
                    if not await self.lease.renew() or stands is None or stands.cancel:
                        raise LostRun
            return task.result()
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _failed(self, run: Run, error: AisleError) -> float:
        """Note what went wrong; the seconds until it is tried again."""
        stands = await self._runs.get(run.id) or run
        if stands.attempt < MAX_ATTEMPTS and error.retryable:
            await self._runs.write(run.id, self.lease.epoch, {}, f"attempt {stands.attempt}: {error.message}")
            logger.warning("training failed, trying again", run=run.id, why=error.message)
            return _AGAIN_S * max(1, stands.attempt)
        await self._end(run, "failed", f"{error.message} {error.hint}".strip())
        return 0.0

    async def _look_after(self, run: Run) -> None:
        """What became of a run that was not ended here."""
        stands = await self._runs.get(run.id)
        if stands is not None and stands.cancel and stands.epoch == self.lease.epoch:
            await self._end(stands, "cancelled", "cancelled by hand")
        else:
            logger.warning("run left to another worker", run=run.id)

    async def _end(self, run: Run, state: State, outcome: str) -> None:
        fields = {"state": state, "outcome": outcome, "ended_at": self._clock(), "step": "", "part": 1.0}
        if await self._runs.write(run.id, self.lease.epoch, fields, outcome) or await self._runs.drop(run.id, outcome):
            logger.info("training ended", run=run.id, state=state, outcome=outcome)
            RUNS.labels(state=state).inc()

    async def _from_the_shadow(self, now: InForce) -> bool:
        """Whether a model was put in service by what it showed in the shadow; looked at now and then: it takes long."""
        if monotonic() - self._looked_at < _SHADOW_EVERY_S:
            return False
        self._looked_at = monotonic()
        try:
            return await promote_better(self._settings, self._store, now)
        except AisleError as error:
            logger.warning("the shadow was not looked at", error=error.code, why=error.message)
            return False

    async def _pause(self, seconds: float) -> None:
        """Wait, and hold on to the lease meanwhile."""
        while seconds > _RENEW_EVERY_S:
            await asyncio.sleep(_RENEW_EVERY_S)
            seconds -= _RENEW_EVERY_S
            with contextlib.suppress(AisleError):
                await self.lease.renew()
        await asyncio.sleep(seconds)

    async def _triggered(self) -> Run | None:
        """The run that a trigger asks for."""
        runs = await self._runs.latest(limit=20)
        ended = next((run.ended_at for run in runs if run.ended_at is not None), None)
        failures = next((number for number, run in enumerate(runs) if run.state != "failed"), len(runs))
        rests = rests_until(self._settings, ended, failures)
        if rests is not None and self._clock() < rests:
            return None
        now = await asyncio.to_thread(look_up, self._settings)
        if now.event is None or await self._from_the_shadow(now):
            return None
        cut = await last_cut(self._runs)
        figures = await figures_now(self._store, self._settings, now.event, cut)
        found = fired(figures, self._settings, self._clock(), cut.at or await self.lease.since())
        if found is None:
            return None
        return await self._runs.ask(found.trigger, found.why, "trigger", found.figures, runs[0].id if runs else 0)
