"""`aisle doctor`: each check tells well from ill, and what to do; the exit status agrees."""

import os
import platform
import socket
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra import doctor
from infra.doctor import Finding
from infra.local.state import RunState, write_state
from infra.settings import Settings

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - the shape of shutil's
GB = 1_000_000_000


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The defaults, with an empty data directory."""
    return Settings(_env_file=None, data_dir=tmp_path / "not" / "yet" / "there", kafka_bootstrap=None, mongodb_uri=None)


def told(finding: Finding) -> str:
    """A finding that is not well says what to do."""
    if finding.status != "ok":
        assert finding.hint, finding
    return finding.status


@pytest.mark.parametrize(
    ("version", "status"), [((3, 10, 9), "fail"), ((3, 11, 0), "ok"), ((3, 13, 5), "ok"), ((3, 14, 0), "fail")]
)
def test_python(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, version: tuple[int, int, int], status: str
) -> None:
    """3.11 to 3.13 are well, others are not."""
    monkeypatch.setattr(sys, "version_info", version)

    assert told(doctor.check_python(settings)) == status


@pytest.mark.parametrize(
    ("system", "machine", "status"),
    [("Linux", "x86_64", "ok"), ("Darwin", "arm64", "ok"), ("Linux", "aarch64", "warn"), ("Windows", "AMD64", "fail")],
)
def test_platform(monkeypatch: pytest.MonkeyPatch, settings: Settings, system: str, machine: str, status: str) -> None:
    """Tested platforms are well, Windows itself is not, the rest may do."""
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)

    assert told(doctor.check_platform(settings)) == status


@pytest.mark.parametrize(("free", "status"), [(9 * GB, "ok"), (2 * GB, "warn"), (GB // 2, "fail")])
def test_disk(monkeypatch: pytest.MonkeyPatch, settings: Settings, free: int, status: str) -> None:
    """Looked at where data will be written, also before that folder exists."""
    monkeypatch.setattr("shutil.disk_usage", lambda _place: Usage(10 * GB, 0, free))

    assert told(doctor.check_disk(settings)) == status


@pytest.mark.parametrize(("available", "status"), [(8 * GB, "ok"), (2 * GB, "warn"), (GB // 2, "fail")])
def test_memory(monkeypatch: pytest.MonkeyPatch, settings: Settings, available: int, status: str) -> None:
    """Too little for the services and a worker is told before they are killed for it."""
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=available))

    assert told(doctor.check_memory(settings)) == status


@pytest.fixture
def listener() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_ports_taken_by_others_are_a_warning(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, listener: int
) -> None:
    """Another program on a usual port is told; it stops nothing, as a free port is chosen."""
    monkeypatch.setattr(doctor, "PORTS", {"kafka": listener, "docstore": listener})

    finding = doctor.check_ports(settings)

    assert told(finding) == "warn"
    assert str(listener) in finding.detail


def test_ports_in_use_by_ours_are_well(monkeypatch: pytest.MonkeyPatch, settings: Settings, listener: int) -> None:
    """A running local service explains why its port is taken."""
    monkeypatch.setattr(doctor, "PORTS", {"kafka": listener, "docstore": listener})
    for name in ("kafka", "docstore"):
        write_state(settings.data_dir, name, RunState.of(os.getpid(), ports={"broker": listener}))

    finding = doctor.check_ports(settings)

    assert told(finding) == "ok"
    assert f"{listener} in use by our kafka" in finding.detail


def test_ports_are_of_no_interest_when_the_settings_name_servers() -> None:
    """Whoever brings Kafka and MongoDB needs no local port."""
    settings = Settings(_env_file=None, kafka_bootstrap="k:9092", mongodb_uri="mongodb://m")

    assert [check(settings).status for check in (doctor.check_ports, doctor.check_java, doctor.check_jars)] == [
        "ok"
    ] * 3


def test_java_runs(settings: Settings) -> None:
    """The runtime that comes as a package says its version."""
    finding = doctor.check_java(settings)

    assert told(finding) == "ok"
    assert "21" in finding.detail


def test_java_that_does_not_run_is_a_failure(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """A damaged runtime is told with the way to renew it."""

    def run(*_args: Any, **_options: Any) -> None:
        raise subprocess.CalledProcessError(127, "java")

    monkeypatch.setattr(subprocess, "run", run)

    assert told(doctor.check_java(settings)) == "fail"


def test_jars_to_fetch_are_a_warning(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> None:
    """Before the first start nothing is fetched yet: no failure."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    finding = doctor.check_jars(settings)

    assert told(finding) == "warn"
    assert "to fetch" in finding.detail
