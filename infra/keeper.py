"""One child process, kept running: started, asked whether it lives, started again, stopped."""

import asyncio
import contextlib
import subprocess
import threading
import time
from collections.abc import Callable
from typing import IO, Final

from infra.child import Child, ProcessEvent, What
from infra.errors import ServiceFailed
from infra.process import Launch, Running, kill, spawn, tail

WRONG_USAGE: Final = 2
"""Exit status of a command that no restart can help: wrong usage or settings."""
_ATTEMPTS: Final = 4  # at the first start; later ones go on for ever
_BACKOFF_S: Final = 0.5
_MAX_BACKOFF_S: Final = 30.0
_STABLE_S: Final = 30.0
_POLL_S: Final = 0.05
_ASK_S: Final = 0.2
_LIVE_EVERY_S: Final = 10.0
_STUCK_ANSWERS: Final = 3  # one that was stopped for 20 s is to be left alone
_HURRIED_S: Final = 2.0  # a broker closes its logs within half a second


class Keeper:
    """Runs one child.

    Args:
        child: What to run.
        on_event: Gets every event, in the event loop's thread.
        hurry: Once it is set, a stop waits two seconds and no longer.
    """

    def __init__(self, child: Child, on_event: Callable[[ProcessEvent], None], hurry: asyncio.Event) -> None:
        self._child = child
        self._on_event = on_event
        self._hurry = hurry
        self._up = asyncio.Event()
        self._running: Running | None = None
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            launch = await asyncio.to_thread(self._child.launch)
            status = await self._run_once(launch)
            if self._child.step and status == 0:
                self._say("done")
                self._up.set()
                return
            failures = 1 if time.monotonic() - began > _STABLE_S else failures + 1
            if status == WRONG_USAGE or (not self._up.is_set() and failures >= _ATTEMPTS):
                raise self._failure(launch, status)
            delay_s = min(_MAX_BACKOFF_S, _BACKOFF_S * 2 ** min(failures - 1, 10))
            self._say("restarting", f"{_describe(status)}; again in {delay_s:g} s")
            await asyncio.sleep(delay_s)

    async def wait_until_up(self) -> None:
        """Return when the child is up, or done.

        Raises:
            ServiceFailed: It would not come up.
        """
        up = asyncio.create_task(self._up.wait())
        try:
            await asyncio.wait({up, self.task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            up.cancel()
        if not self._up.is_set():
            self.task.result()  # raises what ended it

    async def stop(self) -> None:
        """End the child and keep it no longer."""
        self.task.cancel()
        await asyncio.wait({self.task})
        if not self.task.cancelled():
            self.task.exception()  # looked at, or asyncio would complain: whoever waited has it
        if self._running is None:
            return
        process = self._running.process
        if process.poll() is None:
            self._say("stopping", pid=process.pid)
            process.terminate()
            await self._wait_for_end(process)
        self._say("stopped", "killed" if process.poll() is None else "")
        self._forget(self._running)

    async def _wait_for_end(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + self._child.stop_timeout_s
        await _until(lambda: _ended(process) or time.monotonic() > until or self._hurry.is_set())
        if self._hurry.is_set():
            until = min(until, time.monotonic() + _HURRIED_S)
            await _until(lambda: _ended(process) or time.monotonic() > until)

    async def _run_once(self, launch: Launch) -> int:
        # From here to the assignment nothing may be awaited: a cancelled start must not lose a process.
        running = self._running = spawn(launch, deadline_s=self._child.stop_timeout_s)
        process = running.process
        self._child.started(launch, running)
        self._say("starting", launch.address, process.pid)
        reader = self._pass_lines_on(process.stdout) if process.stdout else None
        if not self._child.awaited:
            self._up.set()
        watch = asyncio.create_task(self._kill_when_stuck(launch, running))
        try:
            if not self._child.step and await self._becomes_ready(launch, running):
                self._up.set()
                self._say("ready", launch.address, process.pid)
            await _until(lambda: _ended(process))
        finally:
            watch.cancel()
        if reader is not None:
            await asyncio.to_thread(reader.join, 1.0)  # its last lines say why
        self._forget(running)
        return process.returncode

    async def _becomes_ready(self, launch: Launch, running: Running) -> bool:
        if self._child.ready is None:
            return True
        until = time.monotonic() + self._child.start_timeout_s
        while not _ended(running.process):
            if await asyncio.to_thread(self._child.ready, launch, running.process.pid):
                return True
            if self._child.awaited and time.monotonic() > until:
                kill(running)
            await asyncio.sleep(_ASK_S)
        return False

    async def _kill_when_stuck(self, launch: Launch, running: Running) -> None:
        """Ask whether it is alive; once it was, that many answers in a row that it is not are its end.

        Answers are counted and not seconds: while this process is stopped, nobody asks.
        """
        if self._child.stuck is None:
            return
        was_alive, answers = False, 0
        while True:
            asked = time.monotonic()
            why = await asyncio.to_thread(self._child.stuck, launch)
            if _ended(running.process):
                return
            was_alive = was_alive or why is None
            answers = answers + 1 if was_alive and why else 0
            if answers >= _STUCK_ANSWERS:
                self._say("stuck", f"not alive for {_STUCK_ANSWERS} answers in a row, so killed: {why}")
                kill(running)
                return
            await asyncio.sleep(asked + _LIVE_EVERY_S - time.monotonic())  # silence takes a while to be noticed

    def _forget(self, running: Running) -> None:
        kill(running)
        if running.process.stdout is not None:
            running.process.stdout.close()
        self._running = None
        self._child.stopped()

    def _pass_lines_on(self, pipe: IO[bytes]) -> threading.Thread:
        loop = asyncio.get_running_loop()

        def read() -> None:
            # The loop or the pipe may be closed under us: then nobody listens any more.
            with contextlib.suppress(RuntimeError, ValueError):
                for line in pipe:
                    loop.call_soon_threadsafe(self._say, "line", line.decode(errors="replace").rstrip())

        thread = threading.Thread(target=read, name=f"lines-{self._child.name}", daemon=True)
        thread.start()
        return thread

    def _say(self, what: What, detail: str = "", pid: int | None = None) -> None:
        self._on_event(ProcessEvent(self._child.name, what, detail, pid))

    def _failure(self, launch: Launch, status: int) -> ServiceFailed:
        last = f"\n{tail(launch.log)}" if launch.log else ""
        hint = f"Its log: {launch.log}" if launch.log else "Its own lines above say why."
        return ServiceFailed(f"{self._child.name} does not come up ({_describe(status)}).{last}", hint=hint)


def _describe(status: int) -> str:
    return f"ended by signal {-status}" if status < 0 else f"ended with status {status}"


def _ended(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is not None


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - a child's end is no event that every system gives
        await asyncio.sleep(_POLL_S)
