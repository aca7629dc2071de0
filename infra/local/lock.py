"""One at a time in a data directory: a lock that its holder's end releases, however it comes."""

import contextlib
import fcntl
import os
import time
from pathlib import Path
from typing import Final

from infra.local.state import run_dir

TRAINING: Final = "training"
"""What a retraining holds while it trains."""

_POLL_S: Final = 0.1


class DirLock:
    """An exclusive lock on a name in a data directory; the file is gone when it is released.

    Args:
        data_dir: The directory.
        name: What is locked: ``up`` (the supervisor) or ``services`` (starting and stopping them).
    """

    def __init__(self, data_dir: Path, name: str) -> None:
        self._path = run_dir(data_dir) / f"{name}.lock"
        self._fd: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock if nobody has it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:  # the last one to leave removed the folder meanwhile
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        if not self._is_current(fd):  # its former holder removed the file after we opened it
            os.close(fd)
            return False
        self._fd = fd
        return True

    def acquire(self, timeout_s: float) -> bool:
        """Take the lock, waiting up to a time; returns whether it was had."""
        until = time.monotonic() + timeout_s
        while not self.try_acquire():
            if time.monotonic() > until:
                return False
            time.sleep(_POLL_S)
        return True

    @property
    def is_held(self) -> bool:
        """Whether some process has the lock, be it this one."""
        try:
            fd = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False

    def release(self) -> None:
        """Give the lock back, and remove its file and an empty folder; without the lock, do nothing."""
        if self._fd is None:
            return
        self._path.unlink(missing_ok=True)
        os.close(self._fd)
        self._fd = None
        with contextlib.suppress(OSError):
            self._path.parent.rmdir()

    def _is_current(self, fd: int) -> bool:
        try:
            return os.path.samestat(os.fstat(fd), self._path.stat())
        except FileNotFoundError:
            return False
