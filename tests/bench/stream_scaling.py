"""One, two and four workers on the same cores, and what a clean rebalance handles twice."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median
from time import monotonic
from typing import Any, Final

from infra.kafka.clients import reader_client
from schemas.headers import EVENT_ID
from schemas.topics import PREDICTIONS_OUT, PRODUCTS_IN
from streams.classify_worker import GROUP
from tests.bench.broker import PARTITIONS, Broker, Ends
from tests.bench.load import Events, publish_steadily
from tests.bench.site import Site
from tests.bench.worker import Worker, quantile, worker

_POLL_S: Final = 0.1
_BOTH_S: Final = 2.0
_ALL_S: Final = 60.0


async def measure(site: Site, counts: Sequence[int], seconds: float) -> list[dict[str, Any]]:
    """Rate, CPU and the event loops' lag with so many workers and a backlog; medians where a count is repeated.

    Args:
        site: With a backlog in products.in.
        counts: Numbers of workers, in the order to measure.
        seconds: How long each is measured, once all of them work.
    """
    rows: dict[int, list[dict[str, Any]]] = {}
    for count in counts:
        await site.broker.renew(PREDICTIONS_OUT)
        await site.broker.place(GROUP, PRODUCTS_IN, waiting=10**12)
        with ExitStack() as stack:
            workers = [stack.enter_context(worker("classify", site.settings, site.log)) for _ in range(count)]
            await asyncio.gather(*(one.ready() for one in workers))
            async with Ends(site.broker.bootstrap, PREDICTIONS_OUT) as ends:
                await _all_partitions_move(ends)
                row = await _window(site.broker, workers, ends, seconds)
        rows.setdefault(count, []).append(row)
        site.step(f"{count} workers: {row['rate']:,.0f} events/s")
    return [{name: median(one[name] for one in some) for name in some[0]} for _, some in sorted(rows.items())]


async def _all_partitions_move(ends: Ends) -> None:
    first = await ends.now()
    while any(now == before for now, before in zip(await ends.now(), first, strict=True)):
        await asyncio.sleep(_POLL_S)


async def _window(broker: Broker, workers: Sequence[Worker], ends: Ends, seconds: float) -> dict[str, Any]:
    figures = [one.metrics() for one in workers]
    cpu_s, broker_s = sum(one.cpu_s() for one in workers), broker.cpu_s()
    began, before = monotonic(), await ends.total()
    await asyncio.sleep(seconds)
    events, lasted = await ends.total() - before, monotonic() - began
    lags = [
        quantile(old, one.metrics(), "aisle_event_loop_lag_seconds", 0.99) or 0.0
        for old, one in zip(figures, workers, strict=True)
    ]
    return {
        "workers": len(workers),
        "events": events,
        "rate": events / lasted,
        "cpu_us": 1e6 * (sum(one.cpu_s() for one in workers) - cpu_s) / events,
        "broker_us": 1e6 * (broker.cpu_s() - broker_s) / events,
        "lag_p99_ms": 1000 * max(lags),
    }


async def rebalance(site: Site, rate: float) -> dict[str, Any]:
    """Events handled twice when a second worker joins under load, and leaves again by SIGTERM."""
    await site.broker.renew(PREDICTIONS_OUT)
    await site.broker.place(GROUP, PRODUCTS_IN, waiting=0)
    event, over = Events("rebalance", PARTITIONS).event, asyncio.Event()
    with worker("classify", site.settings, site.log) as one:
        await one.ready()
        sending = asyncio.create_task(
            publish_steadily(site.broker.bootstrap, event, rate, enough=lambda _: over.is_set())
        )
        with worker("classify", site.settings, site.log) as two:
            await two.ready()
            await asyncio.sleep(_BOTH_S)
            by_two = two.metrics().get("aisle_batch_events_sum", 0)
            status = await asyncio.to_thread(two.stop)
        await asyncio.sleep(_BOTH_S)
        over.set()
        published = await sending
        answers = await _answers(site.broker, published)
    times = Counter(answers)
    site.step(f"rebalance: {published:,} events, {len(answers) - len(times)} handled twice")
    return {
        "published": published,
        "answered": len(times),
        "twice": len(answers) - len(times),
        "by_the_second": int(by_two),
        "status_of_the_one_that_left": status,
    }


async def _answers(broker: Broker, published: int) -> list[bytes]:
    """The event ids in predictions.out, once there are enough and no more come."""
    async with Ends(broker.bootstrap, PREDICTIONS_OUT) as ends:
        until = monotonic() + _ALL_S
        while await ends.total() < published and monotonic() < until:
            await asyncio.sleep(_POLL_S)
        await asyncio.sleep(1)
        total, ids = await ends.total(), list[bytes]()
    async with reader_client(broker.bootstrap, PREDICTIONS_OUT, from_start=True) as reader:
        while len(ids) < total:
            for rows in (await reader.getmany(timeout_ms=1000)).values():
                ids += [next(value for name, value in record.headers if name == EVENT_ID) for record in rows]
    return ids
