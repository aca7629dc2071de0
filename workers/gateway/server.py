"""The HTTP server: uvicorn, with an end to how long and how large the head of a request may be."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from infra.errors import PortTaken
from infra.settings import Settings
from schemas.limits import KIB

_DRAIN_S: Final = 5
_BACKLOG: Final = 1_024
_CONNECTIONS: Final = 2_000
_HEAD_S: Final = 20.0
_HEAD_BYTES: Final = 64 * KIB
_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@contextmanager
def listening(settings: Settings) -> Iterator[socket.socket]:
    """The socket that callers reach.

    Raises:
        PortTaken: Another program listens there, or the address is not this machine's.
    """
    host, port = settings.gateway_host, settings.gateway_port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        made = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise PortTaken(
            f"The gateway cannot listen on {host}, port {port}: {error.strerror}.",
            hint="Set AISLE_GATEWAY_PORT to a free one, or AISLE_GATEWAY_HOST to an address of this machine.",
        ) from error
    with made:
        yield made


async def serve(app: FastAPI, made: socket.socket, settings: Settings) -> None:
    """Answer until cancelled; what is under way then has some seconds to end.

    Args:
        app: What answers.
        made: As `listening` gave it.
        settings: ``gateway_proxies`` is used.
    """
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.gateway_proxies,
        lifespan="off",
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_DRAIN_S,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[made]))
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await asyncio.wait({serving})


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


class Protocol(HttpToolsProtocol):
    """Closes a connection whose request has no whole head in time, or one that is too large.

    uvicorn 0.54 waits for the rest of a head for ever, and keeps in memory whatever comes of it.
    """

    _timer: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn's own
        """Expect a head from now on."""
        super().connection_made(transport)
        self._expect_head()

    def on_message_begin(self) -> None:
        """Another head begins; the first one is expected from the start."""
        if self._timer is None:
            self._expect_head()
        super().on_message_begin()

    def data_received(self, data: bytes) -> None:
        """Take a part of a head or body."""
        super().data_received(data)
        if self._timer is None:
            return
        self._head_bytes += len(data)
        if self._head_bytes > _HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_headers_complete(self) -> None:
        """The head is whole; its body is `edge.Body`'s to limit."""
        self._no_timer()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing comes any more."""
        self._no_timer()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        self._head_bytes = 0
        self._timer = self.loop.call_later(_HEAD_S, self._close)

    def _no_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self, *_: Any) -> None:
        self._timer = None
        cycle: Any = self.cycle  # None before the first request
        if cycle is not None and not cycle.response_complete:  # the head of the next request waits for this answer
            self._expect_head()
        else:
            self.transport.close()
