"""State files and locks of a data directory: what they prove, and that they go away."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.endpoints import find_endpoints, find_kafka, find_mongodb
from infra.errors import BrokerUnavailable, StoreUnavailable
from infra.local import kafka, plan
from infra.local.lock import DirLock
from infra.local.state import RunState, drop_state, read_state, write_state
from infra.settings import Settings


def settings(data_dir: Path, **more: str) -> Settings:
    """Settings that the environment has no part in."""
    return Settings.model_validate({"data_dir": data_dir, "kafka_bootstrap": None, "mongodb_uri": None} | more)


def test_a_process_id_with_a_new_owner_is_not_believed(tmp_path: Path) -> None:
    """A record counts only while the very process it was written for runs."""
    state = RunState.of(os.getpid(), address="127.0.0.1:1")
    write_state(tmp_path, "kafka", state)
    assert state == read_state(tmp_path, "kafka")
    write_state(tmp_path, "kafka", state.model_copy(update={"created": state.created - 60}))
    assert read_state(tmp_path, "kafka") is None


def test_a_broken_record_counts_for_nothing(tmp_path: Path) -> None:
    """A state file that cannot be read is as good as none."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "kafka.json").write_text('{"pid":')
    assert read_state(tmp_path, "kafka") is None


def test_nothing_is_left_when_all_is_forgotten(tmp_path: Path) -> None:
    """The folder goes with the last record and the last lock."""
    lock = DirLock(tmp_path, "up")
    assert lock.try_acquire()
    write_state(tmp_path, "up", RunState.of(os.getpid()))
    drop_state(tmp_path, "up")
    lock.release()
    assert [] == list(tmp_path.iterdir())


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    """A second taker is refused until the first lets go, and then gets it."""
    first, second = DirLock(tmp_path, "up"), DirLock(tmp_path, "up")
    assert first.try_acquire()
    assert not second.try_acquire()
    second.release()  # not the holder: changes nothing
    assert not DirLock(tmp_path, "up").try_acquire()
    first.release()
    assert second.acquire(5)
    second.release()


def test_a_killed_holder_does_not_keep_the_lock(tmp_path: Path) -> None:
    """After a crash the lock can be taken, although its file is still there."""
    script = (
        "import sys, time, pathlib; from infra.local.lock import DirLock;"
        "DirLock(pathlib.Path(sys.argv[1]), 'up').try_acquire(); print('held', flush=True); time.sleep(600)"
    )
    argv = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        lock = DirLock(tmp_path, "up")
        assert not lock.try_acquire()
        holder.kill()
        holder.wait()
    assert lock.try_acquire()
    lock.release()


def test_the_settings_come_first(tmp_path: Path) -> None:
    """What the settings name is used, whatever runs here."""
    named = settings(tmp_path, kafka_bootstrap="kafka:9092", mongodb_uri="mongodb://db/")
    found = find_endpoints(named)
    assert ("kafka:9092", "mongodb://db/") == (found.kafka_bootstrap, found.mongodb_uri)
    assert plan.needed(named) == ()


def test_nothing_to_find_says_how_to_start_it(tmp_path: Path) -> None:
    """Without settings and services the error names the command and the variable."""
    with pytest.raises(BrokerUnavailable, match=r"aisle up.*AISLE_KAFKA_BOOTSTRAP"):
        find_kafka(settings(tmp_path))
    with pytest.raises(StoreUnavailable, match=r"aisle up.*AISLE_MONGODB_URI"):
        find_mongodb(settings(tmp_path))


def test_a_mongod_on_the_path_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real MongoDB is used where there is one, on the loopback address; but data that is there stays in reach."""
    program = tmp_path / "bin" / "mongod"
    program.parent.mkdir()
    program.touch(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    launch = plan.launch(settings(tmp_path), "docstore")
    assert launch.kind == "mongod"
    assert str(program) in launch.argv
    assert "127.0.0.1" in launch.argv

    other = tmp_path / "other"
    (other / "docstore").mkdir(parents=True)
    (other / "docstore" / "store.mv").touch()
    assert plan.launch(settings(other), "docstore").kind == "embedded"


def test_the_broker_stays_on_this_machine() -> None:
    """The broker has no passwords, so it listens on the loopback address and nowhere else."""
    text = kafka.properties({"broker": 1, "controller": 2}, Path("log"))
    lines = dict(line.split("=", 1) for line in text.splitlines())
    assert lines["listeners"] == "BROKER://127.0.0.1:1,CONTROLLER://127.0.0.1:2"
    assert lines["listener.security.protocol.map"] == "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT"
    assert lines["auto.create.topics.enable"] == "false"
    assert int(lines["message.max.bytes"]) >= (2 << 20) + (64 << 10)


def test_a_folder_of_any_name_will_do() -> None:
    """Java reads the configuration as Latin-1: other letters of a path are escaped."""
    text = kafka.properties({"broker": 1, "controller": 2}, Path("/srv/été 😀/log"))
    assert "log.dirs=/srv/\\u00e9t\\u00e9 \\ud83d\\ude00/log\n" in text
