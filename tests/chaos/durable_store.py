"""A store that a kill costs nothing: FerretDB on PostgreSQL with DocumentDB, or a mongod where there is one.

Both are checks of aisle against a store it does not bring. FerretDB is built once, as root, from the Go proxy and
Debian testing (about 1.1 GB, two to four minutes), in the folder that ``AISLE_CHAOS_FERRETDB`` names or in the
user's cache; what cannot be built here is skipped with a word.
"""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Final

import click
import psutil
from pydantic import SecretStr

from infra.local.ports import HOST, any_free_port
from infra.local.probe import store_answers
from infra.process import Launch, Running, end, kill, module, spawn, tail
from tests.chaos.rig import NotBack

FERRETDB: Final = "github.com/FerretDB/FerretDB/v2/cmd/ferretdb@v2.7.0"
PACKAGE: Final = "postgresql-18-documentdb"
SUITE: Final = "testing"
FOLDER: Final = "AISLE_CHAOS_FERRETDB"

_BIN: Final = "/usr/lib/postgresql/18/bin"
_DATA: Final = "/mnt"
_START_S: Final = 90.0
_POLL_S: Final = 0.2
_CONF: Final = """
shared_preload_libraries = 'pg_cron, pg_documentdb_core, pg_documentdb'
cron.database_name = 'postgres'
cron.host = '/tmp'
dynamic_shared_memory_type = mmap
documentdb.useFileBasedPersistedCursors = on
listen_addresses = '127.0.0.1'
unix_socket_directories = '/tmp'
"""


class NotHere(Exception):
    """A durable store cannot be had on this machine, and why."""


@contextmanager
def durable_store(folder: Path) -> Iterator[tuple["Ferret | None", SecretStr | None]]:
    """A running store and its address; two Nones where the stack's own is durable: a mongod.

    Args:
        folder: Takes its data and logs.

    Raises:
        NotHere: There is none, and none can be built.
    """
    if shutil.which("mongod"):
        yield None, None
        return
    ferret = Ferret(build(), folder / "durable")
    try:
        try:
            ferret.start()
        except NotBack as error:
            raise NotHere(str(error)) from error
        yield ferret, SecretStr(ferret.uri)
    finally:
        ferret.stop()


def build() -> Path:
    """The folder with FerretDB's program and PostgreSQL's root, made when it is missing.

    Raises:
        NotHere: Something that it takes is missing, or a step failed.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(os.environ.get(FOLDER) or cache / "aisle" / "ferretdb")
    root, program = folder / "root", folder / "ferretdb"
    if program.exists() and (root / _BIN.strip("/") / "postgres").exists():
        if os.geteuid():
            raise NotHere("PostgreSQL runs in a root of its own, which needs the user root.")
        return folder
    missing = [name for name in ("go", "debootstrap", "unshare", "chroot") if shutil.which(name) is None]
    if os.geteuid() or missing:
        raise NotHere(f"FerretDB is built as root with go and debootstrap; missing: {', '.join(missing) or 'root'}.")
    click.echo(f"building FerretDB and PostgreSQL, once, in {folder}", err=True)
    folder.mkdir(parents=True, exist_ok=True)
    if not program.exists():
        _step(("go", "install", FERRETDB), folder / "go.log", GOBIN=str(folder))
    shutil.rmtree(root, ignore_errors=True)
    _step(("debootstrap", "--variant=minbase", SUITE, str(root)), folder / "debootstrap.log")
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")  # no package may start its service
    policy.chmod(0o755)
    install = (
        f"mount -t proc proc {root}/proc && exec chroot {root} apt-get install -y --no-install-recommends {PACKAGE}"
    )
    _step(("unshare", "-m", "sh", "-c", install), folder / "apt.log", DEBIAN_FRONTEND="noninteractive")
    return folder


def _step(command: tuple[str, ...], log: Path, **variables: str) -> None:
    with log.open("w") as lines:
        done = subprocess.run(
            command, env={**os.environ, **variables}, stdout=lines, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        raise NotHere(f"{command[0]} failed:\n{tail(log)}")


class Ferret:
    """FerretDB and its PostgreSQL.

    Args:
        built: What ``build`` made.
        folder: Takes data and logs.
    """

    def __init__(self, built: Path, folder: Path) -> None:
        self._built = built
        self._folder = folder
        self._ports = {"postgres": any_free_port(), "store": any_free_port()}
        self._running: list[Running] = []

    @property
    def uri(self) -> str:
        """Where it answers."""
        return f"mongodb://{HOST}:{self._ports['store']}/?directConnection=true"

    @property
    def _listening(self) -> tuple[str, ...]:
        """Options of FerretDB: where it answers, and whom."""
        return ("--no-auth", f"--listen-addr={HOST}:{self._ports['store']}")

    @property
    def _first(self) -> tuple[str, ...]:
        """What a new PostgreSQL is told in SQL."""
        return ("create extension documentdb cascade",)

    def start(self) -> None:
        """Start both on the same data and ports; returns when the store answers.

        Raises:
            NotBack: It did not come up.
        """
        data = self._folder / "postgres"
        fresh = not data.exists()
        if fresh:
            self._prepare(data)
        self._spawn("postgres", self._rooted(f"{_BIN}/postgres -D {_DATA}/data -p {self._ports['postgres']}"))
        self._wait("postgres", self._postgres_answers)
        if fresh:
            for command in self._first:
                self._sql(command)
        state = self._folder / "ferretdb"
        state.mkdir(exist_ok=True)
        url = f"postgres://postgres@{HOST}:{self._ports['postgres']}/postgres"
        self._spawn(
            "ferretdb",
            (
                *(str(self._built / "ferretdb"), f"--postgresql-url={url}", "--telemetry=disable"),
                *("--debug-addr=-", "--log-level=warn", f"--state-dir={state}", *self._listening),
            ),
        )
        self._wait("ferretdb", lambda: store_answers(f"{HOST}:{self._ports['store']}", self.uri))

    def kill(self) -> None:
        """SIGKILL every process of both, and wait until they are gone."""
        processes = self._processes()
        for one in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        for running in self._running:
            kill(running)
        psutil.wait_procs(processes, timeout=10)
        self._running.clear()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to every process of both."""
        for one in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                one.send_signal(number)

    def stop(self) -> None:
        """Stop both in good order."""
        self.send(signal.SIGCONT)
        while self._running:
            end(self._running.pop(), within_s=20)

    def _processes(self) -> list[psutil.Process]:
        """Both, and PostgreSQL's backends, which are sessions of their own."""
        found = []
        for running in self._running:
            with contextlib.suppress(psutil.NoSuchProcess):
                parent = psutil.Process(running.process.pid)
                found += [*parent.children(recursive=True), parent]
        return found

    def _prepare(self, data: Path) -> None:
        data.mkdir(parents=True)
        self._in_root("chown postgres /mnt")
        self._in_root(f"{_BIN}/initdb -D {_DATA}/data -U postgres -A trust -E UTF8 --locale=C.UTF-8", "postgres")
        with (data / "data" / "postgresql.conf").open("a") as conf:
            conf.write(_CONF)

    def _sql(self, command: str) -> None:
        port = self._ports["postgres"]
        self._in_root(f"{_BIN}/psql -h {HOST} -p {port} -d postgres -c {shlex.quote(command)}", "postgres")

    def _postgres_answers(self) -> bool:
        ask = self._rooted(f"{_BIN}/pg_isready -q -h {HOST} -p {self._ports['postgres']}")
        return subprocess.run(ask, check=False).returncode == 0

    def _rooted(self, command: str, user: str = "postgres") -> tuple[str, ...]:
        """A command line inside PostgreSQL's root, with the data at ``/mnt``; seen by that process alone."""
        root, data = self._built / "root", self._folder / "postgres"
        mounts = f"mount -t proc proc {root}/proc && mount --bind {data} {root}{_DATA}"
        return ("unshare", "-m", "sh", "-c", f"{mounts} && exec chroot --userspec={user} {root} {command}")

    def _in_root(self, command: str, user: str = "root") -> None:
        _step(self._rooted(command, user), self._folder / "prepare.log")

    def _spawn(self, name: str, command: tuple[str, ...]) -> None:
        launch = Launch(module("infra.lifeline", *command), log=self._folder / f"{name}.log")
        self._running.append(spawn(launch, deadline_s=5))

    def _wait(self, name: str, answers: Callable[[], bool]) -> None:
        until = monotonic() + _START_S
        while not answers():
            if monotonic() > until or self._running[-1].process.poll() is not None:
                raise NotBack(f"{name} did not come up:\n{tail(self._folder / f'{name}.log')}")
            sleep(_POLL_S)
