"""A worker's process from start to end: signals, health, watchdog, and the status it ends with."""

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from infra.logging import get_logger
from infra.settings import Settings
from infra.watchdog import Watchdog
from schemas.errors import AisleError
from streams.errors import NotDrained
from streams.worker import Worker

logger = get_logger(__name__)

# Event loop, model and consumer hand the interpreter on: Python's own 5 ms cost an event 10 ms on its way.
_SWITCH_S = 0.000_5
# What a batch makes goes with it. Python's own 700 objects are 30 events, and looking for cycles among those in hand
# costs a fifth of all that the stream costs.
_COLLECT_AFTER = (20_000, 20, 50)


def run_worker(settings: Settings, main: Callable[[Worker], Coroutine[Any, Any, None]]) -> None:
    """Run a worker until SIGTERM or SIGINT, then end the process: 0 when it drained, else 1.

    Ends by ``os._exit``, and without closing the loop: either would wait for a model thread, which may be seconds
    into loading TensorFlow, or hang for ever.
    """
    sys.setswitchinterval(_SWITCH_S)
    gc.set_threshold(*_COLLECT_AFTER)
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
    async with _watched(worker):
        work = asyncio.create_task(main(worker))
        stopped = asyncio.create_task(stop.wait())
        stuck = asyncio.create_task(worker.stuck())
        await asyncio.wait({work, stopped, stuck}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return _outcome(work)
        if stuck.done():
            return _report(stuck.result())
        logger.info("stopping", batch_in_hand=bool(worker.progress.busy_s))
        worker.health.waits_for("stop", "stopping")
        try:
            await worker.stop()
        except NotDrained as error:
            return _report(error)
        work.cancel()
        await asyncio.wait({work})
        logger.info("stopped", events=worker.progress.events, batches=worker.progress.batches)
        return 0


@asynccontextmanager
async def _watched(worker: Worker) -> AsyncIterator[None]:
    async with worker.health.serve(worker.settings.health_port, worker.settings.health_host) as port:
        logger.info("starting", health=f"http://{worker.settings.health_host}:{port}/health/ready", pid=os.getpid())
        with Watchdog(worker.settings.loop_stall_s):
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
