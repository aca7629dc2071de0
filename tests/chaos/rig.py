"""All of aisle under the harness's hand: the stack as `aisle up` runs it, each process to be had by name."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import IO, Final, Protocol, Self
from urllib.parse import urlsplit

from pydantic import SecretStr

from infra.children import worker
from infra.endpoints import find_mongodb
from infra.process import Launch, module
from infra.settings import Settings
from infra.stack import Stack
from infra.supervisor import Child, ProcessEvent
from tests.chaos.classify_worker import BROKEN
from tests.chaos.schedule import ARCHIVE, STORE, WORKERS
from tests.chaos.slow_link import SlowLink

_BACK_WITHIN_S: Final = 180.0  # a model takes a minute to load where others use the cores
_POLL_S: Final = 0.05
_DOCSTORE: Final = "docstore"


class NotBack(Exception):
    """A process was not there in time."""


class StoreProcesses(Protocol):
    """A store that the harness runs itself, in place of the stack's."""

    def kill(self) -> None:
        """SIGKILL all of its processes."""

    def start(self) -> None:
        """Start it on the same data and port; returns when it answers."""

    def send(self, number: signal.Signals) -> None:
        """Send a signal to all of its processes."""


class ChaosStack(Stack):
    """``aisle up`` with the harness's model, and its link between the archive and the store.

    Args:
        settings: What to run with.
        store_uri: What the archive is to take for its store's address.
        broken: The file whose presence makes every model call raise.
        on_event: As of ``Stack``.
    """

    def __init__(
        self, settings: Settings, store_uri: str, broken: Path, on_event: Callable[[ProcessEvent], None]
    ) -> None:
        super().__init__(settings, workers=len(WORKERS), on_event=on_event)
        self._linked = settings.model_copy(update={"mongodb_uri": SecretStr(store_uri)})
        self._broken = broken

    def _worker_children(self) -> list[Child]:
        classify = [self._in_trouble(worker(self._settings, name, place)) for place, name in enumerate(WORKERS)]
        return [*classify, worker(self._linked, ARCHIVE, len(WORKERS))]

    def _in_trouble(self, child: Child) -> Child:
        def launch() -> Launch:
            usual = child.launch()
            variables = {**usual.variables, BROKEN: str(self._broken)}
            return replace(usual, argv=module("tests.chaos.classify_worker"), variables=variables)

        return replace(child, launch=launch)


class Rig:
    """The stack's processes by name, and what can be done to them.

    As a context manager it serves the slow link and keeps the log; ``stack`` is the caller's to run.

    Args:
        settings: With a data directory of the run's own.
        log: Takes what every process says.
        store: A store of the harness's own, whose address the settings name; None: the stack's.
    """

    def __init__(self, settings: Settings, log: Path, store: StoreProcesses | None = None) -> None:
        self.settings = settings
        self.broken = settings.data_dir.resolve() / "model-is-broken"
        self.link = SlowLink(self._store_address)
        self._log = log
        self._store = store
        self._pids: dict[str, int] = {}
        self._ready: set[str] = set()
        self._since: dict[str, float] = {}
        self._exit = AsyncExitStack()
        self._lines: IO[str] | None = None
        self.stack: ChaosStack

    async def __aenter__(self) -> Self:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._lines = self._exit.enter_context(self._log.open("w", buffering=1))
        await self._exit.enter_async_context(self.link.serve())
        uri = f"mongodb://127.0.0.1:{self.link.port}/?directConnection=true"
        self.stack = ChaosStack(self.settings, uri, self.broken, self._note)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exit.aclose()

    @property
    def kafka(self) -> str:
        """``host:port`` of the broker."""
        return self.stack.endpoints.kafka_bootstrap

    @property
    def mongodb(self) -> str:
        """URI of the store itself, without the link."""
        return find_mongodb(self.settings)

    async def until_settled(self, name: str, settled_s: float) -> None:
        """Return when a process has been ready for so long, in seconds.

        Raises:
            NotBack: It never was in time.
        """
        while (left_s := settled_s - monotonic() + self._ready_since(name)) > 0:
            await asyncio.sleep(left_s)
            await self.until_ready(name)

    def _ready_since(self, name: str) -> float:
        return self._since.get(self._process_name(name), 0.0)

    async def until_ready(self, *names: str, within_s: float = _BACK_WITHIN_S) -> None:
        """Return when these processes say that they are ready.

        Raises:
            NotBack: They did not in time.
        """
        until = monotonic() + within_s
        while not {self._process_name(name) for name in names} <= self._ready:
            if monotonic() > until:
                raise NotBack(f"{', '.join(names)} not ready within {within_s:g} s; see {self._log}")
            await asyncio.sleep(_POLL_S)

    async def signal(self, name: str, number: signal.Signals) -> int | None:
        """Send a signal to a process, or to all of a store of ours; its id where there is one."""
        if name == STORE and self._store is not None:
            await asyncio.to_thread(self._store.send, number)
            return None
        pid = self._pids[self._process_name(name)]
        if number in (signal.SIGKILL, signal.SIGTERM):
            self._ready.discard(self._process_name(name))  # what is ready from now on is the next one
        with contextlib.suppress(ProcessLookupError):  # it ended by itself a moment ago
            os.kill(pid, number)
        return pid

    async def kill_store(self) -> None:
        """SIGKILL the store, and bring it back on the same data."""
        if self._store is None:
            await self.signal(STORE, signal.SIGKILL)
            await self.until_ready(STORE)
            return
        await asyncio.to_thread(self._store.kill)
        await asyncio.to_thread(self._store.start)

    def _process_name(self, name: str) -> str:
        return _DOCSTORE if name == STORE else name

    def _store_address(self) -> tuple[str, int]:
        parts = urlsplit(self.mongodb)
        return parts.hostname or "127.0.0.1", parts.port or 27017

    def _note(self, event: ProcessEvent) -> None:
        assert self._lines is not None
        if not self._lines.closed:
            self._lines.write(f"{event.name:11} {event.what} {event.detail} {event.pid or ''}\n")
        if event.what == "starting" and event.pid is not None:
            self._pids[event.name] = event.pid
            self._ready.discard(event.name)
        elif event.what == "ready":
            self._ready.add(event.name)
            self._since[event.name] = monotonic()
        elif event.what in {"restarting", "stopping", "stopped"}:
            self._ready.discard(event.name)
