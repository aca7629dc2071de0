"""All of aisle on one machine: services, topics, workers, as one context manager."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from infra.children import create_topics, service, worker
from infra.endpoints import Endpoints, find_endpoints
from infra.errors import ServiceFailed
from infra.local import plan
from infra.local.errors import AlreadyRunning
from infra.local.lock import DirLock
from infra.local.services import START_S
from infra.local.state import SERVICES, UP, RunState, drop_state, read_state, write_state
from infra.local.targets import Targets
from infra.settings import Settings
from infra.supervisor import Child, ProcessEvent, Supervisor

T = TypeVar("T")

_POLL_S: Final = 0.1


class Stack:
    """Services, topics and workers of one data directory; what ran before is used and left running.

    ::

        async with Stack(settings, workers=2) as stack:
            print(stack.endpoints.kafka_bootstrap)
            await stack.wait()

    Args:
        settings: What to run with; the children get the same.
        workers: How many classify processes.
        archive: Whether to run the archive worker.
        learning: Whether to run the retraining worker and the monitor.
        gateway: Whether to serve the API and the pages.
        on_event: Gets what happens to each process and the lines that workers write, in the loop's thread.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        workers: int = 1,
        archive: bool = True,
        learning: bool = False,
        gateway: bool = False,
        on_event: Callable[[ProcessEvent], None] = lambda _event: None,
    ) -> None:
        self._settings = settings
        self._workers = workers
        self._beside = ["archive"] * archive + ["retrain", "monitor"] * learning + ["gateway"] * gateway
        self._beside += [f"shadow-{number}" for number in range(1, settings.shadow_workers + 1)]
        self._on_event = on_event
        self._lock = DirLock(settings.data_dir, UP)
        self._services_lock = DirLock(settings.data_dir, "services")
        self._supervisor = Supervisor(on_event)
        self._targets = Targets(settings.data_dir)

    @property
    def endpoints(self) -> Endpoints:
        """Where the broker and the store answer now."""
        return find_endpoints(self._settings)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start everything; returns when services answer, topics exist and workers run.

        A worker becomes ready later (the event ``ready``), or not at all while there is no model.

        Raises:
            AlreadyRunning: Another one runs in this data directory.
            ServiceFailed: A process would not come up. What was started is stopped again.
        """
        data_dir = self._settings.data_dir
        if not self._lock.try_acquire():
            raise already_up(read_state(data_dir, UP), self._settings)
        try:
            write_state(data_dir, UP, RunState.of(os.getpid(), kind=UP))
            await self._start_services()
            await self._supervisor.start([create_topics(self._settings)])
            await self._supervisor.start(self._worker_children())
        except BaseException:
            await self.stop()
            raise

    async def wait(self) -> None:
        """Wait for as long as everything can be kept running.

        Raises:
            ServiceFailed: A process ended in a way that no restart can help.
        """
        await self._supervisor.wait()

    async def stop(self) -> None:
        """Stop workers (they finish what they have in hand), then the services started here.

        Being cancelled meanwhile hurries it and does not end it.
        """
        stopping = asyncio.create_task(self._stop())
        while not stopping.done():
            try:
                await asyncio.shield(stopping)
            except asyncio.CancelledError:
                if stopping.cancelled():
                    raise
                self.hurry()
        stopping.result()

    async def _stop(self) -> None:
        try:
            await self._supervisor.stop()
        finally:
            self._services_lock.release()
            self._targets.drop()
            drop_state(self._settings.data_dir, UP)
            self._lock.release()

    def hurry(self) -> None:
        """Let the stop wait two seconds for each process, and no longer."""
        self._supervisor.hurry()

    async def _start_services(self) -> None:
        await self._lock_services()
        names = plan.needed(self._settings)
        for name in SERVICES:
            if name not in names:
                self._on_event(ProcessEvent(name, "ready", "as configured"))
        missing = []
        for name in names:
            if (state := read_state(self._settings.data_dir, name)) is None:
                missing.append(name)
            else:
                self._on_event(ProcessEvent(name, "ready", f"{state.address} (ran already)", state.pid))
        if (fetch := plan.fetch_step(self._settings, tuple(missing))) is not None:
            await self._supervisor.start([Child("packages", lambda: fetch, step=True, stop_timeout_s=2)])
        await self._supervisor.start([service(self._settings, name) for name in missing])
        self._services_lock.release()

    def _worker_children(self) -> list[Child]:
        names = [f"classify-{i}" for i in range(1, self._workers + 1)] + self._beside
        return [self._targets.of(worker(self._settings, name, index)) for index, name in enumerate(names)]

    async def _lock_services(self) -> None:
        until = time.monotonic() + START_S
        while not self._services_lock.try_acquire():
            if time.monotonic() > until:
                raise ServiceFailed("Another process has been starting the local services for a long time.")
            await asyncio.sleep(_POLL_S)


async def run_until_stopped(stack: Stack, body: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
    """Run a stack until its work is done or SIGINT, SIGTERM or SIGHUP comes; the second signal hurries the stop.

    Args:
        stack: What to run.
        body: The work to do once everything is up.

    Returns:
        What the body returned; None when a signal came before.

    Raises:
        AisleError: As ``Stack.start``, ``Stack.wait`` and the body; everything is stopped by then.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            stack.hurry()
        stop.set()

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, on_signal)

    async def run() -> T:
        async with stack:
            work, watch = asyncio.create_task(body()), asyncio.create_task(stack.wait())
            try:
                await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
                if not work.done():
                    watch.result()  # raises what no restart can help
                return await work
            finally:
                for task in (work, watch):
                    task.cancel()
                await asyncio.gather(work, watch, return_exceptions=True)  # looks at both, so neither complains

    running, stopping = asyncio.create_task(run()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            return await running
    finally:
        stopping.cancel()
        for number in signals:
            loop.remove_signal_handler(number)
    return None


def already_up(state: RunState | None, settings: Settings) -> AlreadyRunning:
    """The error for a second supervisor in one data directory."""
    who = f"process {state.pid}" if state else "another process"
    return AlreadyRunning(
        f"aisle is up already in {settings.data_dir} ({who}).", hint="Stop it with `aisle down`, or set AISLE_DATA_DIR."
    )
