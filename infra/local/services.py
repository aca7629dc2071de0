"""Start, stop and look at the local services, from ordinary (synchronous) code."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final, Self

import psutil

from infra.endpoints import Endpoints, find_endpoints
from infra.errors import ServiceFailed
from infra.local import plan
from infra.local.errors import AlreadyRunning, JarsUnavailable
from infra.local.lock import DirLock
from infra.local.ports import is_free, listens
from infra.local.state import UP, RunState, ServiceName, drop_state, read_state, running, write_state
from infra.process import Launch, Running, end, kill, spawn, tail
from infra.settings import Settings

START_S: Final = 600.0
"""A large embedded store takes minutes: it reads every document at its start."""
STOP_S: Final = 20.0
ATTEMPTS: Final = 3
_POLL_S: Final = 0.1


class LocalServices:
    """The services of one data directory that the settings do not name servers for.

    As a context manager it starts them tied to this process, and stops those that it started.

    Args:
        settings: ``data_dir``, those of the servers' addresses and of security are used.
        say: Gets a line at each step that takes a while.
    """

    def __init__(self, settings: Settings, *, say: Callable[[str], None] = lambda _line: None) -> None:
        self._settings = settings
        self._data_dir = settings.data_dir
        self._say = say
        self._ours: dict[ServiceName, Running] = {}

    def __enter__(self) -> Self:
        self.start(lifeline=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in tuple(self._ours):
            self.stop_one(name)

    def start(self, *, lifeline: bool = False) -> Endpoints:
        """Start what does not run yet, and wait until all of it answers.

        Args:
            lifeline: Whether they end with this process. Until they answer they do in any case.

        Raises:
            ServiceFailed: One did not come up.
            JarsUnavailable: The Java packages could not be had.
            AlreadyRunning: ``aisle up`` is about to, or another process has been for a long time.
        """
        with self._lock():
            names = [name for name in plan.needed(self._settings) if read_state(self._data_dir, name) is None]
            if names and (up := read_state(self._data_dir, UP)) is not None and up.pid != os.getpid():
                raise AlreadyRunning(
                    f"aisle up (process {up.pid}) starts and restarts the services in {self._data_dir}.",
                    hint="Wait for it, or stop it with `aisle down`.",
                )
            self._fetch(tuple(names))
            try:
                for name in names:
                    self._start(name)
                if not lifeline:
                    for name in names:
                        self._ours.pop(name).let_go()
            except BaseException:
                for name in names:
                    self.stop_one(name)
                raise
        return find_endpoints(self._settings)

    def start_one(self, name: ServiceName) -> RunState:
        """Start one service tied to this process, as after ``kill_one``; returns when it answers.

        Raises:
            ServiceFailed: It did not come up.
        """
        with self._lock():
            return self._start(name)

    def stop(self) -> list[ServiceName]:
        """Stop every service of the data directory, whoever started it; returns those that ran."""
        with self._lock():
            names = [name for name, _ in running(self._data_dir)]
            for name in names:
                self.stop_one(name)
        return names

    def stop_one(self, name: ServiceName) -> None:
        """Stop one service in good order, or by force when it takes too long."""
        if (ours := self._ours.pop(name, None)) is not None:
            end(ours, within_s=STOP_S)
        elif (state := read_state(self._data_dir, name)) is not None and (process := state.process()) is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
                if not state.wait_until_ended(STOP_S):
                    process.kill()
                    state.wait_until_ended(STOP_S)
        drop_state(self._data_dir, name)

    def kill_one(self, name: ServiceName) -> None:
        """End a service that this object started the hard way, as a crash would: its state file stays."""
        kill(self._ours.pop(name))

    def status(self) -> dict[ServiceName, RunState]:
        """What runs now."""
        return dict(running(self._data_dir))

    def _fetch(self, names: tuple[ServiceName, ...]) -> None:
        step = plan.fetch_step(self._settings, names)
        if step is None:
            return
        self._say("fetching Java packages, once (about 50 MB)")
        fetching = spawn(step, deadline_s=2)
        try:
            output, _ = fetching.process.communicate()
        finally:
            kill(fetching)
        if fetching.process.returncode:
            raise JarsUnavailable(output.decode().strip().splitlines()[-1] if output else "The fetch was ended.")

    def _start(self, name: ServiceName) -> RunState:
        for attempt in range(1, ATTEMPTS + 1):
            launch = plan.launch(self._settings, name)
            self._say(f"starting {name} on port {next(iter(launch.ports.values()))}")
            started = self._ours[name] = spawn(launch, deadline_s=STOP_S)
            state = record(self._settings, name, launch, started)
            if wait_until_up(self._settings, name, launch, started.process):
                return state
            lost_port = not all(is_free(port) for port in launch.ports.values())
            self.stop_one(name)
            if not lost_port or attempt == ATTEMPTS:
                raise did_not_start(name, launch)
        raise AssertionError("unreachable")

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        lock = DirLock(self._data_dir, "services")
        if not lock.acquire(START_S):
            raise AlreadyRunning(
                f"Another process is starting or stopping the services in {self._data_dir}.",
                hint="Wait for it, or end it.",
            )
        try:
            yield
        finally:
            lock.release()


def record(settings: Settings, name: ServiceName, launch: Launch, running: Running) -> RunState:
    """Write the state file of a service that was just started."""
    state = RunState.of(running.process.pid, address=launch.address, ports=dict(launch.ports), kind=launch.kind)
    write_state(settings.data_dir, name, state)
    return state


def wait_until_up(settings: Settings, name: ServiceName, launch: Launch, process: subprocess.Popen[bytes]) -> bool:
    """Wait until a service answers; False when it ended first or took too long."""
    until = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < until:
        # Another server may have taken the port since it was chosen: it is not this one that would answer.
        if listens(process.pid, launch.ports.values()) and plan.answers(settings, name, launch):
            return True
        time.sleep(_POLL_S)
    return False


def did_not_start(name: ServiceName, launch: Launch) -> ServiceFailed:
    """The error that says why, as far as the log knows."""
    last = tail(launch.log) if launch.log else ""
    return ServiceFailed(f"{name} did not start.\n{last}", hint=f"Its log: {launch.log}")
