"""The Java packages of the local services: locked by version and SHA-256, fetched once for all data directories."""

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from infra.local.errors import ChecksumMismatch, JarsUnavailable

_DOWNLOADS_AT_ONCE: Final = 4
_ABANDONED_AFTER_S: Final = 3_600.0
_FETCHING: Final = ".fetching-"

Download = Callable[["LockedJar", Path], Path]


@dataclass(frozen=True)
class LockedJar:
    """One package as the lock names it."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        """Its file's name in the cache."""
        return f"{self.artifact}-{self.version}.jar"


def locked_jars(service: str) -> tuple[LockedJar, ...]:
    """The class path of a service. ``jgo sync`` beside its ``jgo.toml`` makes such a lock anew."""
    lock = files("infra.local").joinpath("locked", service, "jgo.lock.toml").read_text()
    return tuple(
        LockedJar(row["groupId"], row["artifactId"], row["version"], row["sha256"])
        for row in tomllib.loads(lock)["dependencies"]
    )


def jar_dir(data_dir: Path) -> Path:
    """Where jars are kept: the user's cache directory, or the data directory where there is none to write to."""
    try:
        shared = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aisle" / "jars"
        shared.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # a read-only or missing home
        return data_dir / "jars"
    return shared if os.access(shared, os.W_OK) else data_dir / "jars"


def class_path(service: str, folder: Path) -> list[Path]:
    """The jars of a service, each one read and compared with its lock.

    Raises:
        JarsUnavailable: One is not there; ``fetch`` gets it.
        ChecksumMismatch: One has changed since it was fetched.
    """
    paths = []
    for jar in locked_jars(service):
        path = folder / jar.filename
        if not path.exists():
            raise JarsUnavailable(f"{path} is missing.", hint="`aisle services up` fetches it.")
        _verify(jar, path)
        paths.append(path)
    return paths


def missing(service: str, folder: Path) -> list[LockedJar]:
    """The jars of a service that are not there, or not as locked."""
    return [jar for jar in locked_jars(service) if not _is_good(jar, folder / jar.filename)]


def fetch(jars: Iterable[LockedJar], folder: Path, download: Download | None = None) -> None:
    """Bring jars into the folder. Several processes may do so at once: a jar appears whole and verified, or not at all.

    Args:
        jars: What to fetch.
        folder: Where to; made when it is not there.
        download: Gets one jar into a scratch folder and returns its path; by default from Maven, through jgo.

    Raises:
        ChecksumMismatch: What came is not what is locked. It is not kept.
        JarsUnavailable: It could not be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    scratch = Path(tempfile.mkdtemp(prefix=_FETCHING, dir=folder))
    get = download or _from_maven

    def fetch_one(jar: LockedJar) -> None:
        path = get(jar, scratch)
        _verify(jar, path)
        path.replace(folder / jar.filename)

    pool = ThreadPoolExecutor(_DOWNLOADS_AT_ONCE)
    try:
        list(pool.map(fetch_one, jars))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # a download in flight ends with the process
        shutil.rmtree(scratch, ignore_errors=True)


def _from_maven(jar: LockedJar, scratch: Path) -> Path:
    import requests
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext
    from jgo.maven._core import DEFAULT_REMOTE_REPOS

    # Whoever has a mirror has named it in jgo's own configuration.
    repositories = DEFAULT_REMOTE_REPOS | GlobalSettings.load().repositories
    context = MavenContext(repo_cache=scratch, remote_repos=repositories)
    try:
        path: Path = context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
    except (requests.RequestException, RuntimeError) as error:
        raise JarsUnavailable(
            f"Could not fetch {jar.filename} from Maven ({type(error).__name__}).",
            hint="The first start needs the network. Without it: copy the folder of a machine that has it "
            "(~/.cache/aisle/jars), or set AISLE_KAFKA_BOOTSTRAP and AISLE_MONGODB_URI to servers of yours.",
        ) from error
    return path


def _verify(jar: LockedJar, path: Path) -> None:
    if not _is_good(jar, path):
        raise ChecksumMismatch(
            f"{path.name} is not the package that aisle locks (its SHA-256 differs).",
            hint="It was refused. If a mirror or proxy serves Maven packages here, ask whoever runs it.",
        )


def _is_good(jar: LockedJar, path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256
    except FileNotFoundError:
        return False


def _sweep(folder: Path) -> None:
    """Remove what a killed fetch left behind."""
    for scratch in folder.glob(_FETCHING + "*"):
        with contextlib.suppress(FileNotFoundError):  # another fetch has just ended
            if time.time() - scratch.stat().st_mtime > _ABANDONED_AFTER_S:
                shutil.rmtree(scratch, ignore_errors=True)


def main() -> None:
    """``python -m infra.local.jars FOLDER SERVICE …``: fetch what is missing, in a process that can be ended."""
    import signal

    from infra.lifeline import watch_lifeline
    from schemas.errors import AisleError

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    watch_lifeline(2)
    folder = Path(sys.argv[1])
    jars = {jar.filename: jar for service in sys.argv[2:] for jar in missing(service, folder)}
    status = 0
    try:
        if jars:
            print(f"fetching {len(jars)} Java packages, once (about 50 MB)", flush=True)
        fetch(jars.values(), folder)
    except AisleError as error:
        print(error, flush=True)
        status = 1
    except (KeyboardInterrupt, SystemExit):
        status = 143
    sys.stdout.flush()
    os._exit(status)  # not held up by a download in flight


if __name__ == "__main__":
    main()
