"""The gateway's server on a real socket: what a client does that sends no whole request, or no good one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from infra.errors import PortTaken
from infra.settings import Settings
from tests.gateway import gateway
from workers.gateway import server

LIVE = b"GET /health/live HTTP/1.1\r\nHost: t\r\n"


@asynccontextmanager
async def served(data_dir: Path) -> AsyncIterator[int]:
    """A port on which a gateway answers."""
    app, parts = gateway(data_dir, gateway_port=0)
    with server.listening(parts.settings) as made:
        task = asyncio.create_task(server.serve(app, made, parts.settings))
        try:
            yield made.getsockname()[1]
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def said(port: int, *parts: bytes) -> bytes:
    """All that is answered to these bytes until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await asyncio.wait_for(reader.read(), 20)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_requests_on_one_connection_are_answered_one_after_the_other(tmp_path: Path) -> None:
    """Also when a head comes in parts."""
    async with served(tmp_path) as port:
        answer = await said(port, LIVE + b"\r\n", LIVE[:9], LIVE[9:] + b"Connection: close\r\n\r\n")
    assert 2 == answer.count(b"HTTP/1.1 200 OK")


async def test_a_head_that_does_not_come_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one, and the next on a connection that was good once; however slowly its bytes drip."""
    monkeypatch.setattr(server, "_HEAD_S", 0.3)
    async with served(tmp_path) as port:
        assert b"" == await said(port, b"")
        assert b"" == await said(port, LIVE)
        assert 1 == (await said(port, LIVE + b"\r\n" + LIVE)).count(b"HTTP/1.1 200 OK")


async def test_a_head_has_a_largest_size(tmp_path: Path) -> None:
    """In one line or in many: it is kept in memory."""
    async with served(tmp_path) as port:
        for endless in (b"GET /" + b"a" * 200_000, LIVE + b"X: y\r\n" * 40_000):
            answer = await said(port, *(endless[start : start + 8_192] for start in range(0, len(endless), 8_192)))
            assert answer == b"" or answer.startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize(
    "wrong",
    [
        b"\0\0\0\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: t\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: t\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: t\r\nA: b\nSet-Cookie: x\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused(tmp_path: Path, wrong: bytes) -> None:
    """With 400, and the next caller is answered."""
    async with served(tmp_path) as port:
        assert (await said(port, wrong))[:12] in (b"HTTP/1.1 400", b"")
        assert (await said(port, LIVE + b"Connection: close\r\n\r\n")).startswith(b"HTTP/1.1 200")


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    """With the setting that names another."""
    with (
        server.listening(Settings(data_dir=tmp_path, gateway_port=0)) as made,
        pytest.raises(PortTaken, match="AISLE_GATEWAY_PORT"),
        server.listening(Settings(data_dir=tmp_path, gateway_port=made.getsockname()[1])),
    ):
        pass


@pytest.mark.parametrize("framing", [b"Content-Length: 4194304", b"Transfer-Encoding: chunked"])
async def test_who_is_refused_while_sending_learns_why(tmp_path: Path, framing: bytes) -> None:
    """A caller without a token that sends first and reads then: the answer is whole before the connection ends."""
    head = b"POST /api/v1/predictions HTTP/1.1\r\nHost: t\r\n" + framing + b"\r\n\r\n"
    part = b" " * 65_536 if b"Length" in framing else b"10000\r\n" + b" " * 65_536 + b"\r\n"
    async with served(tmp_path) as port:
        answer = await said(port, head, *[part] * 64, b"" if b"Length" in framing else b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 401")
    assert b"connection: close" in answer.lower()
    assert answer.endswith(b"}")
