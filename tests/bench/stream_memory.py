"""Memory against backlog, and the time from a worker's start to its first prediction."""

import asyncio
from collections.abc import Sequence
from statistics import median
from time import monotonic
from typing import Any, Final

from schemas.topics import PREDICTIONS_OUT, PRODUCTS_IN
from streams.classify_worker import GROUP
from tests.bench.broker import Ends
from tests.bench.site import Site
from tests.bench.worker import worker

_ALIKE: Final = 8_000
"""Events that each worker has answered when it is looked at: memory depends on those too."""
_LOOK_S: Final = 3.0
_POLL_S: Final = 0.02


async def measure(site: Site, backlogs: Sequence[int]) -> list[dict[str, Any]]:
    """Resident memory in MB with so many events waiting, and seconds to the first prediction."""
    rows = []
    for waiting in backlogs:
        await site.broker.renew(PREDICTIONS_OUT)
        await site.broker.place(GROUP, PRODUCTS_IN, waiting)
        async with Ends(site.broker.bootstrap, PREDICTIONS_OUT) as ends:
            began = monotonic()
            with worker("classify", site.settings, site.log) as one:
                while not await ends.total():
                    await asyncio.sleep(_POLL_S)
                first_s = monotonic() - began
                while await ends.total() < min(_ALIKE, waiting // 8 * 8):
                    await asyncio.sleep(_POLL_S)
                seen, until = [], monotonic() + _LOOK_S
                while monotonic() < until:
                    seen.append(one.rss_mb())
                    await asyncio.sleep(_POLL_S)
            row = {"waiting": waiting, "rss_mb": median(seen), "peak_mb": max(seen), "first_prediction_s": first_s}
        rows.append(row)
        site.step(f"{waiting:,} waiting: {row['rss_mb']:.0f} MB, first prediction after {first_s:.1f} s")
    return rows
