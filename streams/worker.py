"""A worker: wait for what it needs, run its Faust app, drain, leave."""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NoReturn

from faust.types import TP
from mode.threads import WorkerThread

from infra.endpoints import find_kafka
from infra.errors import BrokerUnavailable, TopicMissing
from infra.health import Health
from infra.kafka.app import BatchApp
from infra.kafka.clients import admin_client, wait_for_broker
from infra.kafka.membership import replaced_by
from infra.kafka.topics import check_in_step, topic_states
from infra.logging import get_logger
from infra.settings import Settings
from schemas.errors import AisleError
from streams.commit import Progress
from streams.errors import FencedInstanceId, NotDrained, WorkerStuck

logger = get_logger(__name__)

_LOOK_EVERY_S = 1.0
_TOPICS_EVERY_S = 2.0
_STUCK_LOOKS = 3
_DRAIN_MARGIN_S = 8.0  # for the last commit and for leaving the group
_LEAVE_S = 3.0  # it takes about one; longer when the broker is away, and then it does not matter


class Worker:
    """What a worker's main function is given.

    Args:
        settings: The settings in force.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.health = Health()
        self.progress = Progress()
        self.app: BatchApp | None = None
        self._left: asyncio.Future[AisleError] | None = None
        self._undrained = False
        self._stopping = asyncio.Lock()
        limit_s = settings.infer_deadline_s + settings.retry_budget_s + settings.drain_timeout_s
        self.health.add_liveness("batch", lambda: self._batch_stuck(limit_s))
        self.health.add_liveness("intake", self._intake_stuck)

    def _batch_stuck(self, limit_s: float) -> str | None:
        busy_s = self.progress.busy_s
        return f"a batch has been in hand for {busy_s:.0f} s" if busy_s > limit_s else None

    def _intake_stuck(self) -> str | None:
        stuck_s = self.app.batch_consumer.stuck_s if self.app else 0.0
        return f"records wait, and none came for {stuck_s:.0f} s" if stuck_s > self.settings.intake_stall_s else None

    async def broker(self, source: str, *also: str) -> str:
        """The bootstrap servers, once they answer and the topics are there.

        An upgrade may bring a topic that an old broker has not: whoever needs it waits and says so, as no restart
        makes it; the others work on.

        Args:
            source: The topic whose records this worker answers.
            also: Others that it reads or writes, beside those that answer it.

        Raises:
            BrokerUnavailable: No broker is configured and none runs here.
        """
        bootstrap, told = find_kafka(self.settings), ""
        self.health.waits_for("broker", f"no broker answers at {bootstrap}")
        await wait_for_broker(bootstrap, tell=lambda why: self.health.waits_for("broker", why))
        while (why := await _amiss(bootstrap, source, also)) is not None:
            self.health.waits_for("broker", why)
            if why != told:
                logger.error("waiting for topics", why=why)
            told = why
            await asyncio.sleep(_TOPICS_EVERY_S)
        self.health.has("broker")
        return bootstrap

    async def run(self, app: BatchApp) -> None:
        """Run a Faust app until it is told to stop, or its agent leaves; afterwards another may be run.

        Raises:
            AisleError: What the agent left for.
            Exception: Whatever else ended the app, if that was no stop.
        """
        self.app = app
        left = self._left = asyncio.get_running_loop().create_future()
        self.health.waits_for("start", "joining the group")
        app.on_partitions_assigned.connect(self._joined, weak=False)  # type: ignore[arg-type] # called by keyword
        app.on_partitions_revoked.connect(self._revoked, weak=False)  # type: ignore[arg-type] # as above
        app.on_before_shutdown.connect(self._before_shutdown, weak=False)  # type: ignore[arg-type] # as above
        try:
            await app.start()
            ends: set[asyncio.Future[Any]] = {asyncio.create_task(app.wait_until_stopped()), left}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if left.done():
                with suppress(NotDrained):  # what was in hand was given up on purpose
                    await self.stop()
                self._undrained = False
                raise left.result()
            if app.crash_reason is not None:
                await asyncio.to_thread(_wait_for_consumer)
                raise app.crash_reason
            async with self._stopping:  # the batch in hand needs what our caller holds, until the stop has ended
                return
        finally:
            self.app = None

    async def leave(self, reason: AisleError) -> NoReturn:
        """End the app and not the process: called by an agent that cannot go on, and never returns to it.

        What is in hand is dropped without acknowledgement, and the group is left at once, so that the
        partitions are free. ``run`` then raises the reason.
        """
        if self._stopping.locked():
            self._undrained = True
        elif self.app and self._left and not self._left.done():
            self.app.limits = replace(self.app.limits, drain_timeout_s=0)  # nobody will finish what is in hand
            self._left.set_result(reason)
        await asyncio.Event().wait()  # the stop of the app cancels the agent
        raise reason

    async def _joined(self, _app: BatchApp, assigned: set[TP], **_signal: Any) -> None:
        """The group has given this worker its share, be it none: now it can work."""
        if "start" in self.health.waiting:
            self.health.has("start")
            logger.info("ready", partitions=len(assigned))

    async def _revoked(self, app: BatchApp, revoked: set[TP], **_signal: Any) -> None:  # noqa: ARG002 - Faust's
        """End, and do not join again, when another process has our instance id: the newer one is to stay."""
        if self.settings.instance_id is None or "start" in self.health.waiting:
            return
        if other := await replaced_by(app, find_kafka(self.settings)):
            error = FencedInstanceId(
                f"Another process has joined the group as {self.settings.instance_id}: it is {other}.",
                hint="Give each worker an AISLE_INSTANCE_ID of its own.",
            )
            await app.crash(error)
            await asyncio.Event().wait()  # joining again, which comes next, would fence the other

    async def _before_shutdown(self, app: BatchApp, **_signal: Any) -> None:
        """Faust has waited for the batch in hand, for as long as it may."""
        self._undrained |= bool(self.progress.busy_s) or app.crash_reason is not None

    async def stuck(self) -> WorkerStuck:
        """Return what is stuck, once something is that only a restart helps.

        One look is not enough: after a SIGSTOP all seems to have stood still, until it has run for a moment.
        """
        looks = 0
        while looks < _STUCK_LOOKS:
            await asyncio.sleep(_LOOK_EVERY_S)
            causes = self.health.stuck
            looks = looks + 1 if causes else 0
        return WorkerStuck("; ".join(f"{name}: {why}" for name, why in causes.items()) + ".")

    async def stop(self) -> None:
        """Finish the batch in hand, commit, leave the group; or give up at the drain deadline.

        Raises:
            NotDrained: Not all in hand could be finished, or the group not be left, in time.
        """
        if (app := self.app) is None:
            return
        limit_s = app.limits.drain_timeout_s
        try:
            async with asyncio.timeout(limit_s + _DRAIN_MARGIN_S), self._stopping:
                await app.stop()
        except TimeoutError:
            self._undrained = True
        except RuntimeError:  # of a closed loop: what crashes meanwhile stops itself
            if app.crash_reason is None:
                raise
            self._undrained = True
        if self._undrained:
            raise NotDrained(f"The batch in hand was not finished within {limit_s:g} s: it will be done again.")


async def _amiss(bootstrap: str, source: str, also: Sequence[str]) -> str | None:
    """What is wrong with the topics that a worker needs, and what to do; None where nothing is."""
    try:
        async with admin_client(bootstrap) as admin:
            check_in_step(await topic_states(admin), source, also)
    except (BrokerUnavailable, TopicMissing) as error:
        return str(error)
    return None


def _wait_for_consumer() -> None:
    """Let Faust's consumer thread leave the group, which it does by itself after a crash.

    Otherwise the group, and we ourselves after the restart, would wait for the session timeout.
    """
    for thread in threading.enumerate():
        if isinstance(thread, WorkerThread):
            thread.join(_LEAVE_S)
