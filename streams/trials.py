"""How often a model in the shadow has taken its process with it.

Each process that begins with one leaves a file, locked for as long as it lives, and removes it once all is well. A file
that nobody has locked is of a process that the model ended: by a hang, a crash in native code, all of the memory.
"""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from schemas.model_event import ModelEvent
from streams.errors import ModelHung


class Trials:
    """The processes that began with a model, on this machine.

    Args:
        folder: Where their files are; other shadow workers of this machine may have it, too.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def deaths(self, event: ModelEvent) -> int:
        """How many processes have ended with the model of this decision in hand."""
        return sum(not _is_held(path) for path in self._of(event).glob("*"))

    @contextmanager
    def begun(self, event: ModelEvent) -> Iterator[Callable[[], None]]:
        """Mark that this process works with a model; only a hang, or the end of the process, leaves the mark.

        Yields:
            Called once the model has shown that it is sound, so that no later end is put down to it.
        """
        mine = self._of(event)
        for other in self._folder.glob("*"):
            if other != mine:  # of a decision that is over
                shutil.rmtree(other, ignore_errors=True)
        mine.mkdir(parents=True, exist_ok=True)
        path = mine / uuid4().hex
        with path.open("w") as mark:
            fcntl.flock(mark, fcntl.LOCK_EX)
            try:
                yield lambda: path.unlink(missing_ok=True)
            except ModelHung:
                raise
            except BaseException:
                path.unlink(missing_ok=True)
                raise
            path.unlink(missing_ok=True)

    def _of(self, event: ModelEvent) -> Path:
        return self._folder / f"{event.model.version}-{event.at:%Y%m%dT%H%M%S.%f}"


def _is_held(path: Path) -> bool:
    try:
        with path.open() as mark:
            fcntl.flock(mark, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:  # somebody has it, or it has just gone
        return True
    return False
