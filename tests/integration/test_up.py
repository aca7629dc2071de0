"""``aisle up`` as a process: whatever ends it, nothing is left behind, and the next start works."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from infra.local.services import LocalServices
from infra.local.state import read_state
from infra.settings import Settings
from tests.ports import settle_ports

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


SERVICES_ALONE = ("--no-archive", "--no-learning", "--no-gateway")
"""For what is not about workers: each takes seconds to import what it needs."""


def wait_for(condition: Callable[[], object], what: str, timeout_s: float = 90) -> None:
    """Wait until a condition holds; fail by name when it does not in time."""
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, f"waited {timeout_s:g} s for: {what}"
        time.sleep(0.05)


class Place:
    """A data directory, and the ``aisle`` commands run in it."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.output = data_dir.parent / "output.txt"
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command; its output goes to a file."""
        with self.output.open("ab") as file:
            process = subprocess.Popen(
                self._argv(arguments), stdout=file, stderr=file, env=self._variables(), start_new_session=True
            )
        self._started.append(process)
        return process

    def up(self, *options: str) -> subprocess.Popen[bytes]:
        """``aisle up`` when it is up: without classify workers, as these need a model."""
        before = self.text().count("aisle is up;")
        process = self.start("up", "--workers", "0", *options)
        wait_for(lambda: self.text().count("aisle is up;") > before or process.poll() is not None, f"up\n{self.text()}")
        assert process.poll() is None, self.text()
        return process

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return subprocess.run(
            self._argv(arguments), capture_output=True, text=True, env=self._variables(), check=False, timeout=120
        )

    def text(self) -> str:
        """What started commands wrote so far."""
        return self.output.read_text() if self.output.exists() else ""

    def happened(self, name: str, what: str) -> int:
        """How often the output told of an event."""
        return sum(line.split()[:2] == [name, what] for line in self.text().splitlines())

    def processes(self) -> list[psutil.Process]:
        """Everything that runs for this data directory."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def is_clean(self) -> bool:
        """No process, no lock and no state is left."""
        return not self.processes() and not (self.data_dir / "run").exists()

    def clear(self) -> None:
        """End what a failed test left."""
        for process in self._started:
            process.kill()
            process.wait()
        for left in self.processes():
            left.kill()

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            mine = str(self.data_dir) in process.environ().get("AISLE_DATA_DIR", "")
            return mine and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False

    def _argv(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-P", "-m", "scripts", *arguments]

    def _variables(self) -> dict[str, str]:
        import os

        mine = {name: value for name, value in os.environ.items() if not name.startswith("AISLE_")}
        secure = {name: value for name, value in os.environ.items() if name == "AISLE_KAFKA_SECURITY_PROTOCOL"}
        return mine | secure | {"AISLE_DATA_DIR": str(self.data_dir)}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A data directory of the test's own."""
    place = Place(tmp_path / "data")
    yield place
    place.clear()


def test_a_killed_supervisor_leaves_no_orphan_and_the_next_start_works(place: Place) -> None:
    """Kill -9 of ``aisle up`` ends broker and store; ``aisle up`` then starts as ever, and ``down`` stops it."""
    up = place.up()
    wait_for(lambda: place.happened("archive", "ready"), "the archive to be ready")
    assert len(place.processes()) >= 6  # itself, broker, store, archive, retrain, monitor, and what they start
    up.kill()
    up.wait()
    wait_for(lambda: not place.processes(), "the orphans to end", 30)
    again = place.up(*SERVICES_ALONE)
    down = place.run("down")
    assert "stopped aisle" in down.stdout
    assert again.wait(10) == 0
    assert place.is_clean()


def test_a_second_up_is_refused_in_one_line(place: Place) -> None:
    """Two supervisors in one data directory: the second names the first and leaves it alone."""
    first = place.up(*SERVICES_ALONE)
    second = place.run("up", "--workers", "0")
    assert second.returncode == 1
    assert f"aisle is up already in {place.data_dir} (process {first.pid})" in second.stderr
    refused = place.run("services", "down")
    assert refused.returncode == 1
    assert first.poll() is None
    first.send_signal(signal.SIGINT)
    assert first.wait(60) == 0
    assert place.is_clean()


@pytest.mark.parametrize("when", ["at once", "kafka starting", "docstore ready", "topics starting", "archive starting"])
def test_ctrl_c_while_starting_leaves_nothing(place: Place, when: str) -> None:
    """SIGINT at any moment of the start leaves no process, no lock and no state."""
    process = place.start("up", "--workers", "0")
    name, _, what = when.partition(" ")
    if when == "at once":
        wait_for((place.data_dir / "run" / "up.json").exists, "the lock to be taken")
    else:
        wait_for(lambda: place.happened(name, what), when)
    process.send_signal(signal.SIGINT)
    process.wait(60)
    assert place.is_clean(), place.processes()


def test_a_broker_that_is_killed_comes_back(place: Place) -> None:
    """Under ``aisle up`` a killed broker is started again on its former port."""
    settle_ports(place.data_dir)
    up = place.up(*SERVICES_ALONE)
    before = read_state(place.data_dir, "kafka")
    assert before is not None
    psutil.Process(before.pid).kill()
    wait_for(lambda: place.happened("kafka", "ready") > 1, "the broker to be ready again")
    after = read_state(place.data_dir, "kafka")
    assert after is not None
    assert before.pid != after.pid
    assert before.address == after.address
    up.terminate()
    assert up.wait(60) == 0
    assert place.is_clean()


def test_services_in_the_background_are_used_and_left(place: Place) -> None:
    """``services up`` is idempotent; ``up`` uses what runs and leaves it running; ``services down`` stops it."""
    assert place.run("services", "up").returncode == 0
    settings = Settings(data_dir=place.data_dir, kafka_bootstrap=None, mongodb_uri=None)
    before = LocalServices(settings).status()
    assert {"kafka", "docstore"} == set(before)
    assert place.run("services", "up", "--json").returncode == 0
    up = place.up(*SERVICES_ALONE)
    up.send_signal(signal.SIGINT)
    assert up.wait(60) == 0
    assert before == LocalServices(settings).status()
    assert "stopped kafka, docstore" in place.run("services", "down").stdout
    assert "no service was running" in place.run("services", "down").stdout
    assert place.is_clean()


def test_ctrl_c_while_starting_in_the_background_leaves_nothing(place: Place) -> None:
    """SIGINT, and even SIGKILL, of ``services up`` before the services answer ends what it has started."""
    for number in (signal.SIGINT, signal.SIGKILL):
        process = place.start("services", "up")
        wait_for(lambda: read_state(place.data_dir, "kafka"), "the broker to be started")
        process.send_signal(number)
        process.wait(60)
        wait_for(lambda: not place.processes(), "everything to end", 30)
    assert place.run("services", "up").returncode == 0
    assert place.run("services", "down").returncode == 0
    assert place.is_clean()
