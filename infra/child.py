"""A child process as it is described to the supervisor, and what it tells of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from infra.process import Launch, Running

What = Literal["starting", "ready", "done", "line", "stuck", "restarting", "stopping", "stopped"]


@dataclass(frozen=True)
class ProcessEvent:
    """Something that happened to a child, or (``line``) a line it wrote."""

    name: str
    what: What
    detail: str = ""
    pid: int | None = None


@dataclass(frozen=True)
class Child:
    """A process to keep running, or (``step``) a command that has to succeed once."""

    name: str
    launch: Callable[[], Launch]
    """What to run; asked anew at each start, in a thread, so it may choose ports."""
    ready: Callable[[Launch, int], bool] | None = None
    """Whether it answers, given its process id; asked in a thread. None: it is up once it runs."""
    stuck: Callable[[Launch], str | None] | None = None
    """Why it is not alive, None while it is; asked in a thread. None: it lives as long as it runs."""
    started: Callable[[Launch, Running], object] = lambda _launch, _running: None
    stopped: Callable[[], None] = lambda: None
    step: bool = False
    awaited: bool = True
    """Whether its stage is up only when it answers, which it has to within ``start_timeout_s``."""
    start_timeout_s: float = 90.0
    stop_timeout_s: float = 20.0
