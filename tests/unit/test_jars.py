"""The locked Java packages: which they are, and that nothing else is ever used in their place."""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import pytest

from infra.local import jars
from infra.local.errors import ChecksumMismatch, JarsUnavailable
from infra.local.jars import LockedJar, fetch, locked_jars

CONTENT = b"a jar"
JAR = LockedJar("org.example", "thing", "1.0", hashlib.sha256(CONTENT).hexdigest())


def write(content: bytes) -> jars.Download:
    """A download that brings this content."""

    def download(jar: LockedJar, scratch: Path) -> Path:
        path = scratch / jar.filename
        path.write_bytes(content)
        return path

    return download


@pytest.fixture
def one_jar(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service whose class path is one jar."""
    monkeypatch.setattr(jars, "locked_jars", lambda _service: (JAR,))


def test_the_versions_are_those_we_chose() -> None:
    """The broker's own packages are all 4.1.1: resolvers have been seen to mix in 3.9.1 without a word."""
    kafka = {jar.artifact: jar.version for jar in locked_jars("kafka") if jar.group == "org.apache.kafka"}
    assert len(kafka) >= 10
    assert {"4.1.1"} == set(kafka.values())
    store = {jar.artifact: jar.version for jar in locked_jars("docstore")}
    assert store["mongo-java-server-h2-backend"] == store["mongo-java-server-core"] == "1.47.0"


@pytest.mark.parametrize("service", ["kafka", "docstore"])
def test_every_package_is_locked_by_checksum(service: str) -> None:
    """Each entry has a SHA-256, file names are unique, and no lock names a server."""
    locked = locked_jars(service)
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in locked)
    assert len(locked) == len({jar.filename for jar in locked})
    folder = files("infra.local").joinpath("locked", service)
    assert not any("://" in folder.joinpath(name).read_text() for name in ("jgo.toml", "jgo.lock.toml"))


def test_another_content_is_refused(tmp_path: Path) -> None:
    """A package whose checksum differs from the lock is an error, and is not kept."""
    with pytest.raises(ChecksumMismatch, match=r"thing-1\.0\.jar"):
        fetch([JAR], tmp_path, write(b"something else"))
    assert [] == list(tmp_path.glob("*.jar"))


@pytest.mark.usefixtures("one_jar")
def test_a_package_changed_on_disk_is_refused_and_fetched_anew(tmp_path: Path) -> None:
    """What was good once is checked at each start; the next fetch heals it."""
    fetch([JAR], tmp_path, write(CONTENT))
    assert [tmp_path / "thing-1.0.jar"] == jars.class_path("any", tmp_path)
    (tmp_path / "thing-1.0.jar").write_bytes(b"tampered")
    with pytest.raises(ChecksumMismatch):
        jars.class_path("any", tmp_path)
    fetch(jars.missing("any", tmp_path), tmp_path, write(CONTENT))
    assert [] == jars.missing("any", tmp_path)


@pytest.mark.usefixtures("one_jar")
def test_a_missing_package_says_how_to_get_it(tmp_path: Path) -> None:
    """Starting without the packages names the file and the command that fetches it."""
    with pytest.raises(JarsUnavailable, match="aisle services up"):
        jars.class_path("any", tmp_path)


def test_two_fetches_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Several installs into one folder end with whole files and no scratch."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: fetch([JAR], tmp_path, write(CONTENT)), range(16)))
    assert ["thing-1.0.jar"] == [path.name for path in tmp_path.iterdir()]
    assert CONTENT == (tmp_path / "thing-1.0.jar").read_bytes()


def test_without_a_home_the_data_directory_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no cache directory to write to, the packages live in the data directory."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert tmp_path / "data" / "jars" == jars.jar_dir(tmp_path / "data")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert tmp_path / "cache" / "aisle" / "jars" == jars.jar_dir(tmp_path / "data")


def test_no_network_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failing connection becomes an error that says what to do."""
    import requests

    def refuse(*_: object, **__: object) -> None:
        raise requests.ConnectionError

    monkeypatch.setattr("jgo.util.http.requests.request", refuse)
    with pytest.raises(JarsUnavailable, match="needs the network"):
        fetch([JAR], tmp_path)
