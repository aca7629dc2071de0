"""How little of the processors a process may have that works beside the stream."""

import os
import sys
from typing import Final

_NICE: Final = 19


def stand_back() -> None:
    """Let every other process go first, from now on; may be said again.

    To be called before what takes long to import.
    """
    os.nice(_NICE)
    if sys.platform == "linux":
        # Whoever wakes up takes the processor from an idle process at once, from a nice one only after its slice.
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
