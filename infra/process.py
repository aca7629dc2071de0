"""Child processes: how one is started, and how one is ended for certain."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from infra.lifeline import Lifeline
from infra.settings import Settings

_LOG_BYTES: Final = 8 << 20
_POLL_S: Final = 0.02


@dataclass(frozen=True)
class Launch:
    """A command to run, and where what it serves will answer."""

    argv: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables on top of this process's own."""
    log: Path | None = None
    """The file that takes its output; None: a pipe, read by whoever starts it."""
    address: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)
    kind: str = ""


@dataclass(frozen=True)
class Running:
    """A started child and the line that it hangs on."""

    process: subprocess.Popen[bytes]
    lifeline: Lifeline

    def let_go(self) -> None:
        """Leave it running when this process ends."""
        self.lifeline.let_go()


def module(name: str, *arguments: str) -> tuple[str, ...]:
    """A command that runs a module of ours; ``-P`` keeps a folder ``infra`` in the user's directory out of it."""
    return (sys.executable, "-P", "-m", name, *arguments)


def spawn(launch: Launch, *, deadline_s: float) -> Running:
    """Start a command in a session of its own, so that Ctrl-C in the terminal reaches only its supervisor.

    Args:
        launch: What to run.
        deadline_s: Seconds it may take to end once its supervisor is gone.
    """
    line = Lifeline(deadline_s)
    log = _open_log(launch.log) if launch.log else None
    try:
        process = subprocess.Popen(  # noqa: S603 - the commands are ours
            launch.argv,
            env={**os.environ, **launch.variables, **line.variables},
            stdin=subprocess.DEVNULL,
            stdout=log or subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(line.child_fd,),
            start_new_session=True,
        )
    except BaseException:
        line.close()
        raise
    finally:
        line.passed_on()
        if log:
            os.close(log)
    return Running(process, line)


def end(running: Running, *, within_s: float) -> int:
    """Ask a child to end, and after a while end it with all its children; returns its exit status."""
    process = running.process
    if process.poll() is None:
        process.terminate()
        until = time.monotonic() + within_s
        while process.poll() is None and time.monotonic() < until:
            time.sleep(_POLL_S)
    kill(running)
    return process.returncode


def kill(running: Running) -> None:
    """End a child and its session at once."""
    process = running.process
    if process.poll() is None:  # not yet waited for, so the id is still its own
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    running.lifeline.close()


def settings_variables(settings: Settings) -> dict[str, str]:
    """The settings that are not defaults, as a child's environment: it sees what this process sees."""
    variables = {}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        text = value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
        variables[f"AISLE_{name.upper()}"] = "none" if value is None else text
    return variables | {"AISLE_DATA_DIR": str(settings.data_dir.resolve())}


def tail(log: Path, lines: int = 5) -> str:
    """The last lines of a log, for an error message."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


def _open_log(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LOG_BYTES:
        path.replace(path.with_suffix(path.suffix + ".1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
