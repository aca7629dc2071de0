"""Finding the one event that breaks a batch."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from streams.errors import ModelHung

T = TypeVar("T")
R = TypeVar("R")


async def isolate(
    items: Sequence[T],
    process: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
    blames: type[Exception] = Exception,
) -> tuple[list[R | Exception], int]:
    """Process a batch; if it fails, its halves, down to single items.

    One poison item among n costs about 2·log2(n) further calls; its neighbours get their results.

    Args:
        items: At least one item.
        process: Answers for a batch, one result an item, or raises.
        blames: What an item can be blamed for; anything else is raised.

    Returns:
        For each item its result, or the exception it raises on its own; and the number of calls made.
    """
    try:
        return list(await process(items)), 1
    except ModelHung:  # the thread is lost: no use in asking again
        raise
    except blames as error:
        if len(items) == 1:
            return [error], 1
    middle = len(items) // 2
    left, left_calls = await isolate(items[:middle], process, blames)
    right, right_calls = await isolate(items[middle:], process, blames)
    return left + right, left_calls + right_calls + 1
