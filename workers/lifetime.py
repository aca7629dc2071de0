"""A background worker's process from start to end: signals, health, and the status it ends with."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from infra.health import Health
from infra.logging import get_logger
from infra.settings import Settings
from infra.watchdog import Watchdog
from schemas.errors import AisleError

logger = get_logger(__name__)

Main = Callable[[Settings, Health], Coroutine[Any, Any, None]]
"""What a worker does; it is cancelled when the process has to stop."""


def run_background(settings: Settings, main: Main) -> int:
    """Run a worker until SIGTERM or SIGINT.

    Args:
        settings: ``health_host``, ``health_port`` and ``loop_stall_s`` are used here, the rest by the worker.
        main: Its work.

    Returns:
        The exit status: 0 when it was told to stop, 1 when it failed.
    """
    try:
        return asyncio.run(_supervise(settings, main))
    except AisleError as error:
        return _failed(error)


async def _supervise(settings: Settings, main: Main) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    health = Health()
    async with health.serve(settings.health_port, settings.health_host) as port:
        logger.info("starting", health=f"http://{settings.health_host}:{port}/health/ready", pid=os.getpid())
        with Watchdog(settings.loop_stall_s):
            work = asyncio.create_task(main(settings, health))
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if work.done():
                return _outcome(work)
            logger.info("stopping")
            work.cancel()
            await asyncio.wait({work})
            logger.info("stopped")
            return 0


def _outcome(work: asyncio.Task[None]) -> int:
    error = work.exception()
    return 0 if error is None else _failed(error)


def _failed(error: BaseException) -> int:
    if isinstance(error, AisleError):
        logger.error(error.message, error=error.code, hint=error.hint or None)
    else:
        logger.error("the worker failed", exc_info=error)
    return 1
