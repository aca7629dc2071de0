"""Sends a request as it stands, byte by byte, and reads what comes back."""

import asyncio
from dataclasses import dataclass
from typing import Final, Literal

from tests.hostile.request import UNSENT, Request

_DEADLINE_S: Final = 60.0
_READ: Final = 1 << 16
_MOST_BYTES: Final = 64 << 20

End = Literal["closed", "reset", "hung up", "hung"]
"""closed and reset: by the gateway; hung up: by us, as was meant; hung: nothing came, and the end did not either."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of maybe several."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        """The first of this name."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request.

    Args:
        answers: In their order.
        end: Of the connection.
        broken: What of the bytes that came is no answer; None: nothing.
    """

    answers: tuple[Answer, ...]
    end: End
    broken: bytes | None = None


async def send(request: Request, port: int) -> Outcome:
    """Send a request, and read until the connection ends.

    Raises:
        OSError: Nobody listens.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_READ)
    sending = asyncio.create_task(_send(request, writer))
    end: End
    received = bytearray()
    try:
        async with asyncio.timeout(_DEADLINE_S):
            end = await _received(request, reader, sending, received)
    except TimeoutError:
        end = "hung"
    finally:
        sending.cancel()
        await asyncio.wait({sending})
        writer.transport.abort()
    if end == "closed" and sending.done() and not sending.cancelled() and sending.result():
        end = "hung up"
    answers, broken = parsed(bytes(received), is_head=request.is_head)
    return Outcome(answers, end, broken)


async def _send(request: Request, writer: asyncio.StreamWriter) -> bool:
    """Send all parts; whether the caller hung up before the last one."""
    for number, part in enumerate(request.parts):
        pause_s = request.pauses_s.get(number, 0.0)
        if pause_s == UNSENT:
            writer.transport.abort()
            return True
        if pause_s:
            await asyncio.sleep(pause_s)
        try:
            writer.write(part)
            await writer.drain()
        except OSError:  # the gateway has heard enough, and what it says of that is still to be read
            return False
    return False


async def _received(
    request: Request, reader: asyncio.StreamReader, sending: asyncio.Task[bool], received: bytearray
) -> End:
    while True:
        patience_s = None if request.patience_s is None else request.patience_s
        try:
            async with asyncio.timeout(patience_s):
                data = await reader.read(_READ)
        except TimeoutError:
            return "hung up"
        except OSError:
            return "hung up" if sending.done() and not sending.cancelled() and sending.result() else "reset"
        if not data:
            return "closed"
        received += data
        if len(received) > _MOST_BYTES:
            return "hung up"


def parsed(data: bytes, *, is_head: bool = False) -> tuple[tuple[Answer, ...], bytes | None]:
    """The answers in a stream of bytes, and what of it is none."""
    found: list[Answer] = []
    while data:
        head, mark, rest = data.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        version, _, status = lines[0].partition(b" ")
        headers = tuple(_header(line) for line in lines[1:])
        if not mark or version != b"HTTP/1.1" or not status[:3].isdigit() or not all(name for name, _ in headers):
            return tuple(found), data[:200]
        code, named = int(status[:3]), dict(headers)
        bodiless = is_head or code in (204, 304) or code // 100 == 1
        if bodiless:
            body, data = b"", rest
        elif b"content-length" in named:
            length = int(named[b"content-length"])
            body, data = rest[:length], rest[length:]
        elif named.get(b"transfer-encoding") == b"chunked":
            body, data = _unchunked(rest)
        else:
            body, data = rest, b""
        if code // 100 != 1:
            found.append(Answer(code, headers, body))
    return tuple(found), None


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    return (name.lower(), value.strip()) if colon and b"\n" not in line and b"\r" not in line else (b"", line)


def _unchunked(data: bytes) -> tuple[bytes, bytes]:
    body = bytearray()
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size or b"0", 16)
        if not length:
            return bytes(body), data[2:]
        body += data[:length]
        data = data[length + 2 :]
    return bytes(body), b""
