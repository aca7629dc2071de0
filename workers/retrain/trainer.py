"""A run as its parent sees it: the process is started, what it tells is put on record, and it ends with the lease."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, Final

from infra.errors import StoreUnavailable
from infra.lifeline import Lifeline
from infra.logging import get_logger
from infra.process import module, settings_variables
from infra.runs import Run, Runs
from infra.settings import Settings
from workers.retrain.errors import TrainingEnded, TrainingFailed

_TELL_EVERY_S: Final = 1.0
_STOP_S: Final = 10.0
_STORE_S: Final = 600.0  # for which facts wait for the store
_SILENCE_S: Final = 7_200.0  # after which a training is taken for stuck: one step of an encoder takes minutes
_RECORD_S: Final = 600.0
_PROGRESS: Final = {"step", "part"}
_LINE_BYTES: Final = 8 << 20  # a decision names every category

logger = get_logger(__name__)


class LostRun(Exception):
    """The run is another worker's by now, or somebody ended it."""


class Trainer:
    """Carries out a run's work in a process of its own.

    Args:
        settings: What the process runs with.
        runs: Where is put on record what it tells.
    """

    def __init__(self, settings: Settings, runs: Runs) -> None:
        self._settings = settings
        self._runs = runs

    async def carry_out(self, run: Run, epoch: int) -> Run:
        """Run it to its end; returns the run as it stands then, with a decision.

        Raises:
            LostRun: It became another's, or was cancelled; the process has ended.
            TrainingEnded: The process failed or was killed; another try may help.
            TrainingFailed: It says that no other try helps.
        """
        async with self._process("workers.retrain.child", str(run.id)) as process:
            failed = await self._follow(process, run.id, epoch)
            status = await process.wait()
        stands = await self._runs.get(run.id)
        if failed:
            kind = TrainingEnded if failed["retryable"] else TrainingFailed
            raise kind(failed["failed"], hint=failed["hint"])
        if stands is None or stands.decision is None:
            raise TrainingEnded(f"The training ended with status {status}, before it was judged.")
        return stands

    async def record(self) -> None:
        """Tell MLflow what became of the runs. That it cannot be told stops nothing."""
        with contextlib.suppress(TimeoutError):
            async with self._process("workers.retrain.recording") as process, asyncio.timeout(_RECORD_S):
                await process.wait()

    @asynccontextmanager
    async def _process(self, name: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """A process that ends with the context, or with this one."""
        line = Lifeline(_STOP_S)
        process = await asyncio.create_subprocess_exec(
            *module(name, *arguments),
            stdout=asyncio.subprocess.PIPE,
            stdin=asyncio.subprocess.DEVNULL,
            env=os.environ | settings_variables(self._settings) | line.variables,
            pass_fds=(line.child_fd,),
            start_new_session=True,
            limit=_LINE_BYTES,
        )
        line.passed_on()
        try:
            yield process
        finally:
            await _end(process)
            line.close()

    async def _follow(self, process: asyncio.subprocess.Process, run_id: int, epoch: int) -> dict[str, Any] | None:
        """Put on record what the process tells, until it has no more to say; what it failed by, if it did."""
        failed, told_s = None, 0.0
        async for said in _told(process):
            if "failed" in said:
                failed = said
                continue
            if set(said) == _PROGRESS and 0 < said["part"] < 1 and monotonic() - told_s < _TELL_EVERY_S:
                continue
            told_s = monotonic()
            text = said.pop("said", None)
            if not await self._written(run_id, epoch, said, text):
                raise LostRun
        return failed

    async def _written(self, run_id: int, epoch: int, said: dict[str, Any], text: str | None) -> bool:
        """Put on record what was told. Where the store is away, facts wait for it, and progress is passed over."""
        until = monotonic() + _STORE_S * (not set(said) <= _PROGRESS)
        while True:
            try:
                return await self._runs.write(run_id, epoch, said, text)
            except StoreUnavailable:
                if set(said) <= _PROGRESS and text is None:
                    return True
                if monotonic() > until:
                    raise
            await asyncio.sleep(_TELL_EVERY_S)


async def _told(process: asyncio.subprocess.Process) -> AsyncIterator[dict[str, Any]]:
    while process.stdout is not None:
        try:
            line = await asyncio.wait_for(process.stdout.readline(), _SILENCE_S)
        except TimeoutError:
            raise TrainingEnded(f"The training said nothing for {_SILENCE_S / 3_600:g} hours.") from None
        if not line:
            return
        try:
            said = json.loads(line)
        except ValueError:
            sys.stderr.buffer.write(line)
            continue
        if isinstance(said, dict):
            yield said


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a process, and whatever it started."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_S):
                await process.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
