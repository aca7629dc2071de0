"""What runs here: one small file per local process, under ``<data_dir>/run``."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, Self

import psutil
from pydantic import BaseModel, ValidationError

ServiceName = Literal["kafka", "docstore"]
SERVICES: tuple[ServiceName, ...] = ("kafka", "docstore")
UP: Final = "up"
"""Name of the supervisor's lock and state file."""

_POLL_S = 0.05
_SAME_START_S = 1.0  # psutil derives the create time from boot time and clock ticks: it may differ in the last digits


class RunState(BaseModel):
    """A running process as its starter recorded it.

    A process id alone proves nothing, as the system gives it to the next process; together with the time
    at which the process was created it names one process for good.
    """

    pid: int
    created: float
    address: str = ""
    """Where it answers: ``host:port`` of the broker, the URI of the store; empty for a supervisor."""
    ports: dict[str, int] = {}
    kind: str = ""
    """What serves: ``kafka``, ``mongod``, ``embedded``."""

    @classmethod
    def of(cls, pid: int, *, address: str = "", ports: dict[str, int] | None = None, kind: str = "") -> Self:
        """The state of a process that runs now.

        Raises:
            psutil.NoSuchProcess: It has ended already.
        """
        created = psutil.Process(pid).create_time()
        return cls(pid=pid, created=created, address=address, ports=ports or {}, kind=kind)

    def process(self) -> psutil.Process | None:
        """The recorded process, or None when it has ended, even if its id is in use again."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < _SAME_START_S
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None

    def wait_until_ended(self, timeout_s: float) -> bool:
        """Wait for the process to end; returns whether it did.

        One that has ended counts, even if its parent has not taken note: in a container nobody may.
        """
        until = time.monotonic() + timeout_s
        while self.process() is not None:
            if time.monotonic() > until:
                return False
            time.sleep(_POLL_S)
        return True


def run_dir(data_dir: Path) -> Path:
    """Where state files are kept."""
    return data_dir / "run"


def state_path(data_dir: Path, name: str) -> Path:
    """The state file of a service, or of the supervisor (``up``)."""
    return run_dir(data_dir) / f"{name}.json"


def write_state(data_dir: Path, name: str, state: RunState) -> None:
    """Record a running process; readers see the old record or the new one, never half of it."""
    path = state_path(data_dir, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}.new")
    fresh.write_text(state.model_dump_json())
    fresh.replace(path)


def read_state(data_dir: Path, name: str) -> RunState | None:
    """The record of a process that still runs, or None."""
    try:
        state = RunState.model_validate_json(state_path(data_dir, name).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    return state if state.process() is not None else None


def drop_state(data_dir: Path, name: str) -> None:
    """Forget a process that was stopped, and the folder with the last of them."""
    state_path(data_dir, name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        run_dir(data_dir).rmdir()


def running(data_dir: Path) -> Iterator[tuple[ServiceName, RunState]]:
    """The local services that run now."""
    for name in SERVICES:
        if (state := read_state(data_dir, name)) is not None:
            yield name, state
