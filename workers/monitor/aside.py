"""Work that takes hundreds of megabytes, in a process of its own that ends with it."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import active_children, get_context
from typing import Any, Final

Aside = Callable[..., Awaitable[Any]]
"""Calls a function of a module with arguments, elsewhere, and gives what it returns or raises."""

_LIMIT_S: Final = 600.0


async def in_a_process(work: Callable[..., Any], *arguments: Any) -> Any:
    """Do something in a new process, which is killed where nobody waits for it any more.

    Raises:
        BrokenProcessPool: It was killed.
        TimeoutError: It was not done within ten minutes.
        Exception: What the work raises.
    """
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    others = set(active_children())
    doing = asyncio.get_running_loop().run_in_executor(pool, work, *arguments)
    try:
        if not (await asyncio.wait({doing}, timeout=_LIMIT_S))[0]:
            raise TimeoutError(f"{work.__name__} was not done within {_LIMIT_S:g} s")
        return doing.result()
    finally:
        if not doing.done():
            for process in set(active_children()) - others:
                process.kill()  # or the end of this process would wait for it
            await asyncio.wait({doing})
            doing.exception()  # that it was killed is no news
        pool.shutdown(wait=False, cancel_futures=True)
