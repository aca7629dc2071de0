"""The watchdog of the event loop: what it ends, what it must not end, what it measures."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import patch

from infra.metrics import REGISTRY
from infra.watchdog import Watchdog

WATCHED = """
import asyncio, sys, time
from infra.watchdog import Watchdog

def model_call_on_the_loop():
    time.sleep(600)

async def main():
    with Watchdog(float(sys.argv[1])):
        print("watched", flush=True)
        await asyncio.sleep(float(sys.argv[2]))
        if sys.argv[3] == "stall":
            model_call_on_the_loop()

asyncio.run(main())
"""


def watched(stall_s: float, first_s: float, then: str) -> "subprocess.Popen[str]":
    """A process with a watchdog, once it watches."""
    process = subprocess.Popen(
        [sys.executable, "-c", WATCHED, str(stall_s), str(first_s), then],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "watched\n"
    return process


def test_a_stalled_loop_ends_the_process_and_says_where() -> None:
    """A loop that stands still ends the process with status 1; the line has the error's name and the stack."""
    process = watched(0.5, 0, "stall")
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "loop-stalled" in said
    assert "model_call_on_the_loop" in said


def test_a_process_that_was_stopped_is_not_ended_for_it() -> None:
    """SIGSTOP for several times the limit, as when a machine is suspended, is no stall: the process goes on."""
    process = watched(0.5, 2, "end")
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(2.5)  # the time of being stopped is what is tested
    os.kill(process.pid, signal.SIGCONT)
    said, _ = process.communicate(timeout=30)
    assert (process.returncode, said) == (0, "")


async def test_a_line_that_cannot_be_written_does_not_save_the_process() -> None:
    """A loop that hangs in the log's lock, which the watchdog's line then waits for, is ended all the same."""
    ended: list[int] = []
    hanging = patch("infra.watchdog.logger.critical", lambda *_arguments, **_fields: time.sleep(0.5))
    with hanging, patch("infra.watchdog._SAY_S", 0.05), Watchdog(0.1, ended.append):
        while not ended:
            time.sleep(0.01)  # noqa: ASYNC251 - blocks the loop on purpose


async def test_a_busy_loop_is_left_alone_and_its_lag_is_measured() -> None:
    """Many blocks, each shorter than the limit, end nothing; they show in the histogram of the loop's lag."""
    ended: list[int] = []
    late = _count_above(0.1)
    with Watchdog(1.0, ended.append):
        for _ in range(8):
            time.sleep(0.25)  # noqa: ASYNC251 - blocks the loop on purpose
            await asyncio.sleep(0)
            await asyncio.sleep(0.001)
    assert [] == ended
    assert _count_above(0.1) - late >= 5


def _count_above(seconds: float) -> float:
    name = "aisle_event_loop_lag_seconds"
    total = REGISTRY.get_sample_value(f"{name}_count") or 0
    return total - (REGISTRY.get_sample_value(f"{name}_bucket", {"le": str(seconds)}) or 0)
