"""The lifeline: a child ends with its supervisor, unless it was let go."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from infra.process import Launch, kill, module, spawn

WATCHER = "import sys, time; from infra.lifeline import watch_lifeline; watch_lifeline(); {body}; time.sleep(600)"
SUPERVISOR = """
import sys, time
from infra.process import Launch, module, spawn
running = spawn(Launch(tuple(sys.argv[2:])), deadline_s=float(sys.argv[1]))
print(running.process.pid, running.process.stdout.readline().decode().strip(), flush=True)
{then}
time.sleep(600)
"""
READY = "print('ready', flush=True)"


def supervise(*command: str, deadline_s: float = 5, then: str = "") -> tuple[subprocess.Popen[str], psutil.Process]:
    """A supervisor of its own process, and its child; both run, and the child watches."""
    argv = [sys.executable, "-c", SUPERVISOR.format(then=then), str(deadline_s), *command]
    supervisor = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    pid, word = supervisor.stdout.readline().split()
    assert word == "ready"
    supervisor.stdout.close()
    return supervisor, psutil.Process(int(pid))


@pytest.fixture
def ended() -> Iterator[list[psutil.Process]]:
    """Processes that a test started, ended whatever happens."""
    processes: list[psutil.Process] = []
    yield processes
    for process in processes:
        if process.is_running():
            process.kill()


def test_a_killed_supervisor_leaves_no_child(ended: list[psutil.Process]) -> None:
    """SIGKILL of the supervisor ends its child."""
    supervisor, child = supervise(sys.executable, "-c", WATCHER.format(body=READY))
    ended.append(child)
    supervisor.kill()
    supervisor.wait()
    child.wait(10)


def test_a_child_that_ignores_the_request_is_killed(ended: list[psutil.Process]) -> None:
    """A child that does not heed SIGTERM is gone after its deadline all the same."""
    body = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {READY}"
    supervisor, child = supervise(sys.executable, "-c", WATCHER.format(body=body), deadline_s=0.2)
    ended.append(child)
    supervisor.kill()
    supervisor.wait()
    child.wait(10)


def test_a_foreign_program_hangs_on_it_too(ended: list[psutil.Process]) -> None:
    """A program that knows nothing of lifelines runs under the recorded id and ends with the supervisor."""
    command = module("infra.lifeline", sys.executable, "-c", f"import time; {READY}; time.sleep(600)")
    supervisor, child = supervise(*command)
    ended.append(child)
    guard = child.children()
    assert len(guard) == 1
    ended += guard
    supervisor.kill()
    supervisor.wait()
    gone, _ = psutil.wait_procs([child, *guard], timeout=10)
    assert {child, *guard} == set(gone)


def test_a_child_that_was_let_go_lives_on(ended: list[psutil.Process]) -> None:
    """What is started for the background outlives who started it."""
    script = """
import threading, time
from infra.lifeline import watch_lifeline
watch_lifeline()
for thread in threading.enumerate():
    if thread.name == "lifeline":
        thread.join()
print("ready", flush=True)
time.sleep(600)
"""
    argv = (sys.executable, "-c", script)
    running = spawn(Launch(argv), deadline_s=5)
    ended.append(psutil.Process(running.process.pid))
    running.let_go()
    assert running.process.stdout is not None
    assert running.process.stdout.readline() == b"ready\n"  # its watcher has ended, and it has not
    assert running.process.poll() is None
    kill(running)
    running.process.stdout.close()


def test_no_supervisor_no_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command started by hand watches nothing, whatever number it finds in the environment."""
    from infra.lifeline import FD_VARIABLE, watch_lifeline

    for text in ("", "none", "987654"):
        monkeypatch.setenv(FD_VARIABLE, text)
        assert not watch_lifeline()
        assert FD_VARIABLE not in os.environ


def test_a_child_is_out_of_the_terminals_reach() -> None:
    """A child leads a session of its own: Ctrl-C in the terminal does not reach it before its supervisor."""
    running = spawn(Launch(("sleep", "600")), deadline_s=5)
    assert os.getsid(running.process.pid) == running.process.pid
    kill(running)
    assert running.process.returncode == -signal.SIGKILL
    assert running.process.stdout is not None
    running.process.stdout.close()
