"""A process's own word on its health, over HTTP: on the loopback address, where no other is set."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from infra.errors import PortTaken
from infra.logging import get_logger
from infra.metrics import exposition
from infra.metrics.process import READY, WAITS

logger = get_logger(__name__)


class Health:
    """What a process is waiting for, and whether it still moves.

    ``/health/ready`` answers 200, or 503 with each thing that is waited for and why. ``/health/live`` answers
    200, or 503 with what is stuck: then only a restart helps. Both have further ``details``, if there are any, which
    change neither. ``/metrics`` gives the figures to Prometheus.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, str] = {}
        self._checks: dict[str, Callable[[], str | None]] = {}
        self._details: dict[str, str] = {}
        self.waits_for("start", "starting")

    def waits_for(self, what: str, why: str) -> None:
        """Not ready, until ``has(what)``."""
        self._waiting[what] = why
        WAITS.labels(cause=what).set(1)
        READY.set(0)

    def has(self, what: str) -> None:
        """What was waited for is there."""
        if self._waiting.pop(what, None) is not None:
            WAITS.remove(what)
            READY.set(not self._waiting)

    def says(self, what: str, how: str) -> None:
        """A word for people on how something is, whether it is well or not; the last one counts."""
        self._details[what] = how

    def add_liveness(self, name: str, check: Callable[[], str | None]) -> None:
        """Add a check that returns None while all is well, else what is stuck."""
        self._checks[name] = check

    @property
    def waiting(self) -> dict[str, str]:
        """What keeps the process from being ready, by name."""
        return dict(self._waiting)

    @property
    def stuck(self) -> dict[str, str]:
        """What keeps the process from being alive, by name."""
        return {name: why for name, check in self._checks.items() if (why := check())}

    @asynccontextmanager
    async def serve(self, port: int, host: str = "127.0.0.1") -> AsyncIterator[int]:
        """Answer while the context lasts.

        Args:
            port: The port, or 0 for any free one.
            host: The address; 0.0.0.0 is all of this machine's.

        Yields:
            The port in use.

        Raises:
            PortTaken: Another program listens there, or the address is not this machine's.
        """
        app = web.Application()
        app.router.add_get("/health/live", self._live)
        app.router.add_get("/health/ready", self._ready)
        app.router.add_get("/metrics", _metrics)
        runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, host, port).start()
            except OSError as error:
                raise PortTaken(
                    f"Port {port} is in use by another program.", hint="Set AISLE_HEALTH_PORT to a free one, or to 0."
                ) from error
            bound: int = runner.addresses[0][1]
            yield bound
        finally:
            await runner.cleanup()

    async def _live(self, _request: web.Request) -> web.Response:
        return _answer("alive", self.stuck, self._details)

    async def _ready(self, _request: web.Request) -> web.Response:
        return _answer("ready", self.stuck | self.waiting, self._details)


async def _metrics(_request: web.Request) -> web.Response:
    return web.Response(body=exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _answer(state: str, problems: dict[str, str], details: dict[str, str]) -> web.Response:
    more = {"details": details} if details else {}
    if problems:
        return web.json_response({"status": f"not {state}", "causes": problems} | more, status=503)
    return web.json_response({"status": state} | more)
