"""A table of items or verdicts as the bytes of a file, as they are made."""

import asyncio
from collections.abc import AsyncIterator, Callable

from workers.gateway.export.formats import Format, writer_of
from workers.gateway.export.source import ExportChoice, Source


async def exported(
    source: Source, choice: ExportChoice, kind: Format, told: Callable[[int], None] = lambda _: None
) -> AsyncIterator[bytes]:
    """The parts of the file; at most one batch of rows is in memory.

    Args:
        source: Has the rows.
        choice: Which of them.
        kind: The file's format.
        told: Called with how many rows are written.

    Raises:
        StoreUnavailable: The store is away; what came before is the beginning of a file.
    """
    writer = await asyncio.to_thread(writer_of, kind, choice.what)
    written = 0
    async for rows in source.batches(choice):
        yield await asyncio.to_thread(writer.write, rows)
        written += len(rows)
        told(written)
    yield await asyncio.to_thread(writer.close)
