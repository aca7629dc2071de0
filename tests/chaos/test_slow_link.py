"""The link between archive and store passes everything on, to wherever the store is now."""

import asyncio

from tests.chaos.slow_link import SlowLink


async def answer(word: bytes) -> asyncio.Server:
    """A server that answers each line with its word and the line."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(word + b" " + line)
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


async def ask(port: int, *lines: bytes) -> list[bytes]:
    """What a server says to these lines, on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = []
    for line in lines:
        writer.write(line)
        answers.append(await reader.readline())
    writer.close()
    await writer.wait_closed()
    return answers


async def test_it_passes_on_slow_or_not_and_finds_a_moved_store() -> None:
    """Nothing is lost or reordered by the delay; each new connection goes to where the store is by then."""
    servers = [await answer(b"one"), await answer(b"two")]

    def store() -> tuple[str, int]:
        host, port = servers[0].sockets[0].getsockname()
        return host, port

    link = SlowLink(store)
    async with link.serve():
        assert [b"one a\n", b"one b\n"] == await ask(link.port, b"a\n", b"b\n")
        link.delay_s = 0.01
        assert [b"one c\n"] == await ask(link.port, b"c\n")
        servers.pop(0).close()
        assert [b"two d\n"] == await ask(link.port, b"d\n")
    servers[0].close()
