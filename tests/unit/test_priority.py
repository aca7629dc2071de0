"""Processes that work beside the stream."""

import subprocess
import sys

import pytest

CODE = """
import os
from infra.priority import stand_back
stand_back()
stand_back()
print(os.nice(0), os.sched_getscheduler(0) == os.SCHED_IDLE)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems know only how nice a process is")
def test_a_process_stands_behind_all_others() -> None:
    """The nicest there is, and idle besides; saying it twice does no harm."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)

    assert ["19", "True"] == done.stdout.split()
