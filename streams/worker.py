"""A worker process from start to end: wait for what it needs, run its Faust app, drain, leave."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from faust.types import TP

from infra.endpoints import find_kafka
from infra.health import Health
from infra.kafka.app import BatchApp
from infra.kafka.clients import admin_client, wait_for_broker
from infra.kafka.topics import check_in_step, topic_states
from infra.logging import get_logger
from infra.settings import Settings
from schemas.errors import AisleError
from streams.commit import Progress

logger = get_logger(__name__)

_WATCH_EVERY_S = 1.0
_DRAIN_MARGIN_S = 5.0  # for the last commit and for leaving the group


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
        limit_s = settings.infer_deadline_s + settings.retry_budget_s + settings.drain_timeout_s
        self.health.add_liveness("batch", lambda: self._stuck(limit_s))

    def _stuck(self, limit_s: float) -> str | None:
        busy_s = self.progress.busy_s
        return f"a batch has been in hand for {busy_s:.0f} s" if busy_s > limit_s else None

    async def broker(self, source: str) -> str:
        """The bootstrap servers, once they answer and the topics are there.

        Args:
            source: The topic whose records this worker answers.

        Raises:
            BrokerUnavailable: No broker is configured and none runs here.
            TopicMissing: A topic does not exist, or has the wrong shape.
        """
        bootstrap = find_kafka(self.settings)
        self.health.waits_for("broker", f"no broker answers at {bootstrap}")
        await wait_for_broker(bootstrap)
        async with admin_client(bootstrap) as admin:
            check_in_step(await topic_states(admin), source)
        self.health.has("broker")
        return bootstrap

    async def run(self, app: BatchApp) -> None:
        """Run a Faust app until it is told to stop.

        Raises:
            Exception: Whatever ended the app, if that was no stop.
        """
        self.app = app
        app.on_partitions_assigned.connect(self._joined, weak=False)  # type: ignore[arg-type] # called by keyword
        await app.start()
        await app.wait_until_stopped()
        if app.crash_reason is not None:
            raise app.crash_reason

    async def _joined(self, _app: BatchApp, assigned: set[TP], **_signal: Any) -> None:
        """The group has given this worker its share, be it none: now it can work."""
        if "start" in self.health.waiting:
            self.health.has("start")
            logger.info("ready", partitions=len(assigned))

    async def stuck(self) -> None:
        """Return when something is stuck that only a restart helps."""
        while not self.health.stuck:  # noqa: ASYNC110 - the checks are of time passing, which is no event
            await asyncio.sleep(_WATCH_EVERY_S)
        logger.error("stuck", **self.health.stuck)

    async def stop(self) -> None:
        """Finish the batch in hand, commit, leave the group; or give up at the drain deadline."""
        if self.app is not None:
            async with asyncio.timeout(self.settings.drain_timeout_s + _DRAIN_MARGIN_S):
                await self.app.stop()


def run_worker(settings: Settings, main: Callable[[Worker], Coroutine[Any, Any, None]]) -> None:
    """Run a worker until SIGTERM or SIGINT, then end the process: 0 when it drained, else 1.

    Ends by ``os._exit``, and without closing the loop: either would wait for a model thread, which may be seconds
    into loading TensorFlow, or hang for ever.
    """
    if sys.platform != "win32":
        import uvloop

        # A policy, as Faust's consumer thread makes a loop of its own.
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    try:
        status = asyncio.new_event_loop().run_until_complete(_supervise(settings, main))
    except BaseException as error:  # noqa: BLE001 - whatever it is, the process ends below
        status = _report(error)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


async def _supervise(settings: Settings, main: Callable[[Worker], Coroutine[Any, Any, None]]) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    worker = Worker(settings)
    async with _serving(worker):
        work = asyncio.create_task(main(worker))
        stopped = asyncio.create_task(stop.wait())
        stuck = asyncio.create_task(worker.stuck())
        await asyncio.wait({work, stopped, stuck}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return _outcome(work)
        if stuck.done():
            return 1
        logger.info("stopping", batch_in_hand=bool(worker.progress.busy_s))
        worker.health.waits_for("stop", "stopping")
        try:
            await worker.stop()
        except TimeoutError:
            logger.error(  # noqa: TRY400 - the traceback of a timeout says nothing
                "did not drain in time; the batch in hand will be done again", after_s=settings.drain_timeout_s
            )
            return 1
        work.cancel()
        await asyncio.wait({work})
        logger.info("stopped", events=worker.progress.events, batches=worker.progress.batches)
        return 0


@asynccontextmanager
async def _serving(worker: Worker) -> AsyncIterator[None]:
    async with worker.health.serve(worker.settings.health_port) as port:
        logger.info("starting", health=f"http://127.0.0.1:{port}/health/ready", pid=os.getpid())
        yield


def _outcome(work: asyncio.Task[None]) -> int:
    error = work.exception()
    return 0 if error is None else _report(error)


def _report(error: BaseException) -> int:
    if isinstance(error, AisleError):
        logger.error(error.message, error=error.code, hint=error.hint or None)
    else:
        logger.error("the worker failed", exc_info=error)
    return 1
