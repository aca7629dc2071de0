"""The supervisor: order, restarts, lines, and a stop that nobody can refuse."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from infra.errors import ServiceFailed
from infra.process import Launch
from infra.settings import Settings
from infra.stack import Stack
from infra.supervisor import Child, ProcessEvent, Supervisor

FOREVER = "import time; time.sleep(600)"


def python(script: str, *arguments: object) -> Launch:
    """A command that runs a script."""
    return Launch((sys.executable, "-c", script, *map(str, arguments)))


class Journal:
    """The events as they came."""

    def __init__(self) -> None:
        self.events: list[ProcessEvent] = []

    def __call__(self, event: ProcessEvent) -> None:
        """Keep an event."""
        self.events.append(event)

    def of(self, what: str) -> list[str]:
        """Names of the children to whom this happened, in order."""
        return [event.name for event in self.events if event.what == what]

    async def until(self, what: str, count: int = 1) -> None:
        """Wait until it happened so often."""
        async with asyncio.timeout(20):
            while len(self.of(what)) < count:
                await asyncio.sleep(0.01)


async def test_stages_start_in_order_and_stop_in_reverse(tmp_path: Path) -> None:
    """A stage starts when the one before is up, and ends before it."""
    journal = Journal()
    supervisor = Supervisor(journal)
    flag = tmp_path / "ready"
    script = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"
    await supervisor.start([Child("service", lambda: python(script, flag), ready=lambda _launch, _pid: flag.exists())])
    assert flag.exists()
    await supervisor.start([Child("step", lambda: python("print('made')"), step=True)])
    await supervisor.start([Child("worker", lambda: python(FOREVER))])
    await supervisor.stop()
    happened = [(e.name, e.what) for e in journal.events if e.what != "line"]
    assert happened == [
        ("service", "starting"),
        ("service", "ready"),
        ("step", "starting"),
        ("step", "done"),
        ("worker", "starting"),
        ("worker", "ready"),
        ("worker", "stopping"),
        ("worker", "stopped"),
        ("service", "stopping"),
        ("service", "stopped"),
    ]


async def test_a_child_that_dies_is_started_again() -> None:
    """A child that is killed comes back."""
    journal = Journal()
    supervisor = Supervisor(journal)
    await supervisor.start([Child("worker", lambda: python("import os; os.kill(os.getpid(), 9)"))])
    await journal.until("starting", 2)
    await supervisor.stop()
    assert "ended by signal 9; again in 0.5 s" in [event.detail for event in journal.events]


class Answers:
    """What a child says of its life, one word for each time it is asked; the last for ever."""

    def __init__(self, *words: str | None) -> None:
        self._words = list(words)
        self.asked = 0

    def __call__(self, _launch: Launch) -> str | None:
        """The next word."""
        self.asked += 1
        return self._words.pop(0) if len(self._words) > 1 else self._words[0]


async def test_a_child_that_lives_no_longer_is_killed_and_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three bad answers in a row after a good one are the end, in its own words; then it is started anew."""
    monkeypatch.setattr("infra.keeper._LIVE_EVERY_S", 0.01)
    journal, answers = Journal(), Answers(None, "intake: nothing came", "silent", "intake: nothing came", None)
    supervisor = Supervisor(journal)
    await supervisor.start([Child("worker", lambda: python(FOREVER), stuck=answers)])
    await journal.until("starting", 2)
    await supervisor.stop()
    assert ["worker"] == journal.of("stuck")
    details = [event.detail for event in journal.events]
    assert "not alive for 3 answers in a row, so killed: intake: nothing came" in details
    assert "ended by signal 9; again in 0.5 s" in details


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["it does not answer"], id="still loading its model"),
        pytest.param([None, *["it does not answer"] * 2, None] * 5, id="stopped for 20 s, again and again"),
    ],
)
async def test_a_child_that_may_yet_live_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, words: list[str | None]
) -> None:
    """Silence before the first good answer, and two bad ones between good ones, are no reason to kill."""
    monkeypatch.setattr("infra.keeper._LIVE_EVERY_S", 0.01)
    journal, answers = Journal(), Answers(*words)
    supervisor = Supervisor(journal)
    await supervisor.start([Child("worker", lambda: python(FOREVER), stuck=answers)])
    async with asyncio.timeout(20):
        while answers.asked < 15:
            await asyncio.sleep(0.01)
    await supervisor.stop()
    assert [] == journal.of("stuck")


async def test_a_child_that_is_stopping_is_not_killed_for_being_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    """During a stop nobody asks: the child has all of its time to drain."""
    monkeypatch.setattr("infra.keeper._LIVE_EVERY_S", 0.01)
    journal = Journal()
    script = "import signal, sys, time; signal.signal(15, lambda *_: (time.sleep(0.5), sys.exit())); print('deaf')"
    launch = Launch((sys.executable, "-u", "-c", f"{script}; time.sleep(600)"))
    supervisor = Supervisor(journal)
    silent = asyncio.Event()
    child = Child("worker", lambda: launch, stuck=lambda _launch: "it does not answer" if silent.is_set() else None)
    await supervisor.start([child])
    await journal.until("line")
    silent.set()
    await supervisor.stop()
    assert [] == journal.of("stuck")
    assert [""] == [event.detail for event in journal.events if event.what == "stopped"]


async def test_lines_are_passed_on_to_the_last() -> None:
    """What a child writes arrives, also what it writes right before it dies."""
    journal = Journal()
    supervisor = Supervisor(journal)
    await supervisor.start([Child("worker", lambda: python("print('one'); print('two'); raise SystemExit(3)"))])
    await journal.until("restarting")
    await supervisor.stop()
    assert ["one", "two"] == [event.detail for event in journal.events if event.what == "line"][:2]


async def test_who_waits_may_give_up() -> None:
    """Waiting for a failure can be cancelled, and children are kept running as before."""
    journal = Journal()
    supervisor = Supervisor(journal)
    await supervisor.start([Child("worker", lambda: python(FOREVER))])
    waiting = asyncio.create_task(supervisor.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    pid = next(event.pid for event in journal.events if event.pid)
    os.kill(pid, signal.SIGKILL)
    await journal.until("starting", 2)
    await supervisor.stop()


async def test_wrong_usage_is_not_tried_again() -> None:
    """Exit status 2 ends the whole, as no restart can help; what ran is stopped by whoever asked for it."""
    journal = Journal()
    supervisor = Supervisor(journal)
    await supervisor.start([Child("worker", lambda: python("raise SystemExit(2)"))])
    with pytest.raises(ServiceFailed, match="worker does not come up"):
        await supervisor.wait()
    await supervisor.stop()
    assert [] == journal.of("restarting")


async def test_a_service_that_never_comes_up_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A first start that fails again and again is an error that shows the log's last words."""
    monkeypatch.setattr("infra.keeper._BACKOFF_S", 0.01)
    log = tmp_path / "service.log"
    launch = Launch((sys.executable, "-c", "raise SystemExit('no room')"), log=log)
    supervisor = Supervisor(Journal())
    with pytest.raises(ServiceFailed, match="no room"):
        await supervisor.start([Child("service", lambda: launch, ready=lambda _launch, _pid: False)])
    await supervisor.stop()


async def test_who_will_not_stop_is_killed() -> None:
    """SIGTERM is asked once; after its time a child is killed."""
    journal = Journal()
    supervisor = Supervisor(journal)
    script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(600)"
    launch = Launch((sys.executable, "-u", "-c", script))
    await supervisor.start([Child("worker", lambda: launch, stop_timeout_s=0.2)])
    await journal.until("line")
    await supervisor.stop()
    assert "killed" in [event.detail for event in journal.events if event.what == "stopped"]


async def test_a_hurried_stop_waits_for_nobody() -> None:
    """The second Ctrl-C ends within seconds what is still finishing its work."""
    journal = Journal()
    supervisor = Supervisor(journal)
    script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(600)"
    launch = Launch((sys.executable, "-u", "-c", script))
    await supervisor.start([Child("worker", lambda: launch, stop_timeout_s=600)])
    await journal.until("line")
    stopping = asyncio.create_task(supervisor.stop())
    await journal.until("stopping")
    began = time.monotonic()
    supervisor.hurry()
    await stopping
    assert time.monotonic() - began < 5


async def test_a_cancelled_start_loses_no_process() -> None:
    """A start that is cancelled while a service is coming up is stopped like any other."""
    journal = Journal()
    supervisor = Supervisor(journal)
    pids: list[int] = []
    child = Child(
        "service",
        lambda: python(FOREVER),
        ready=lambda _launch, _pid: False,
        started=lambda _launch, running: pids.append(running.process.pid),
    )
    start = asyncio.create_task(supervisor.start([child]))
    await journal.until("starting")
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    await supervisor.stop()
    assert ["service"] == journal.of("stopped")
    assert len(pids) == 1


async def test_a_stack_whose_stop_is_cancelled_stops_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Ctrl-C during the stop after a failure hurries it; no process, lock or state is left."""
    journal = Journal()
    settings = Settings.model_validate({"data_dir": tmp_path, "kafka_bootstrap": "k:1", "mongodb_uri": "mongodb://m"})
    stack = Stack(settings, on_event=journal)
    script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(600)"
    deaf = Child("worker", lambda: Launch((sys.executable, "-u", "-c", script)), stop_timeout_s=600)
    monkeypatch.setattr("infra.stack.create_topics", lambda _settings: Child("topics", lambda: python(""), step=True))
    monkeypatch.setattr(stack, "_worker_children", lambda: [deaf])
    await stack.start()
    await journal.until("line")
    stopping = asyncio.create_task(stack.stop())
    await journal.until("stopping")
    stopping.cancel()
    await stopping
    assert ["worker"] == journal.of("stopped")
    assert not (tmp_path / "run").exists()
