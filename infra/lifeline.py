"""A process that ends when its supervisor does, even if that was killed.

The child inherits the read end of a pipe; only the supervisor holds the write end, so the end of the
supervisor, however it comes, is end-of-file for the child. Linux's parent-death signal does the same for
direct children, but macOS has none.
"""

import contextlib
import os
import select
import signal
import stat
import sys
import threading
import time
from typing import Final

FD_VARIABLE: Final = "AISLE_LIFELINE_FD"
DEADLINE_VARIABLE: Final = "AISLE_LIFELINE_DEADLINE_S"
_DEFAULT_DEADLINE_S = 10.0
_GUARD_LOOKS_S = 0.2
_LET_GO = b"."


class Lifeline:
    """The supervisor's side, one for each child.

    Args:
        deadline_s: Seconds that the child may take to end by itself once the supervisor is gone.
    """

    def __init__(self, deadline_s: float = _DEFAULT_DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self.child_fd, self._held = os.pipe()

    @property
    def variables(self) -> dict[str, str]:
        """What the child finds its end by."""
        return {FD_VARIABLE: str(self.child_fd), DEADLINE_VARIABLE: str(self._deadline_s)}

    def passed_on(self) -> None:
        """The child has its end: close ours of it."""
        os.close(self.child_fd)

    def let_go(self) -> None:
        """Allow the child to outlive this process."""
        with contextlib.suppress(BrokenPipeError):  # it has ended meanwhile
            os.write(self._held, _LET_GO)
        self.close()

    def close(self) -> None:
        """Drop the line: a child that was not let go ends. A second call does nothing."""
        held, self._held = self._held, -1
        if held >= 0:
            os.close(held)


def watch_lifeline(deadline_s: float | None = None) -> bool:
    """End this process when its supervisor is gone; without a supervisor, do nothing.

    Ends with SIGTERM to itself, so that work in hand is brought to its end, and with SIGKILL when that takes
    longer than the deadline. A second call does nothing.

    Args:
        deadline_s: Seconds between the two; by default what the supervisor said.

    Returns:
        Whether there is a supervisor to watch.
    """
    fd = _take_fd()
    if fd is None:
        return False
    wait_s = float(os.environ.pop(DEADLINE_VARIABLE, _DEFAULT_DEADLINE_S)) if deadline_s is None else deadline_s
    threading.Thread(target=_watch, args=(fd, wait_s), name="lifeline", daemon=True).start()
    return True


def _take_fd() -> int | None:
    # Taken out of the environment, as a child of this process would look for a descriptor it does not have.
    text = os.environ.pop(FD_VARIABLE, "")
    if not text.isdecimal():
        return None
    fd = int(text)
    try:
        is_pipe = stat.S_ISFIFO(os.fstat(fd).st_mode)
    except OSError:
        return None
    if not is_pipe:
        return None
    os.set_inheritable(fd, False)
    return fd


def _watch(fd: int, deadline_s: float) -> None:
    if os.read(fd, 1) == _LET_GO:
        os.close(fd)
        return
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(deadline_s)
    os.kill(os.getpid(), signal.SIGKILL)


def _guard(pid: int, fd: int, deadline_s: float) -> None:
    """Watch on behalf of a parent process that is not ours to change; ends when the parent does."""
    while os.getppid() == pid:
        if not select.select([fd], [], [], _GUARD_LOOKS_S)[0]:
            continue
        if os.read(fd, 1) == _LET_GO:
            return
        os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + deadline_s
        while os.getppid() == pid:
            if time.monotonic() > until:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)


def main() -> None:
    """``python -m infra.lifeline COMMAND …``: run a foreign program on the lifeline, under this process id."""
    deadline_s = float(os.environ.pop(DEADLINE_VARIABLE, _DEFAULT_DEADLINE_S))
    fd = _take_fd()
    pid = os.getpid()
    if fd is not None and os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _guard(pid, fd, deadline_s)
        os._exit(0)
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the program is the supervisor's choice


if __name__ == "__main__":
    main()
