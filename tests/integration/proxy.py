"""A TCP proxy that stands before a server: it can be cut off, held up, and slowed down."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast


class Proxy:
    """Passes bytes on to a server while it is up.

    Args:
        host: Of the server.
        port: Of the server.
    """

    def __init__(self, host: str, port: int) -> None:
        self._server_address = (host, port)
        self._serving: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.port = 0
        self.delay_s = 0.0
        """How much later each answer comes, on connections made from then on."""

    async def up(self) -> None:
        """Take connections."""
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """Cut all connections, and refuse new ones."""
        if self._listener is not None:
            self._listener.close()
            for serving in self._serving:
                serving.cancel()
            await asyncio.gather(*self._serving)
            await self._listener.wait_closed()
            self._listener = None

    def pause(self) -> None:
        """Hold all bytes back, as when the server is stopped."""
        self._flowing.clear()

    def go_on(self) -> None:
        """Let the bytes through that were held back."""
        self._flowing.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = cast("asyncio.Task[None]", asyncio.current_task())
        self._serving.add(serving)
        to_server: asyncio.StreamWriter | None = None
        try:
            from_server, to_server = await asyncio.open_connection(*self._server_address)
            await asyncio.gather(self._pass(reader, to_server), self._pass(from_server, writer, self.delay_s))
        except (OSError, asyncio.CancelledError):
            pass  # cut
        finally:
            self._serving.discard(serving)
            for end in filter(None, (writer, to_server)):
                end.close()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, delay_s: float = 0.0) -> None:
        while data := await source.read(65_536):
            await asyncio.sleep(delay_s)
            await self._flowing.wait()
            sink.write(data)
            await sink.drain()
        sink.close()


@asynccontextmanager
async def proxy(host: str, port: int) -> AsyncIterator[Proxy]:
    """A proxy that is up, and down at the end."""
    proxy = Proxy(host, port)
    await proxy.up()
    try:
        yield proxy
    finally:
        await proxy.down()
