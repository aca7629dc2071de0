"""From produce to prediction: how long events take at part loads."""

import asyncio
import gc
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final
from uuid import uuid4

import numpy as np

from infra.kafka.clients import reader_client
from infra.kafka.producer import OutRecord
from schemas.headers import EVENT_ID
from schemas.topics import PREDICTIONS_OUT, PRODUCTS_IN
from streams.classify_worker import GROUP
from tests.bench.broker import PARTITIONS
from tests.bench.load import Events, publish_steadily
from tests.bench.site import Site
from tests.bench.stream_throughput import call_ms
from tests.bench.worker import mean, quantile, worker

SHARES: Final = (0.1, 0.5, 0.8)
"""Parts of the capacity."""
_WARMUP_S: Final = 2.0
_STRAGGLERS_S: Final = 10.0
_BATCH: Final = "aisle_batch_events"


@dataclass(frozen=True)
class Load:
    """One load.

    Args:
        share: Of the capacity.
        rate: Events a second.
        seconds: How long, without the warm-up.
    """

    share: float
    rate: float
    seconds: float


async def measure(site: Site, capacity: float, seconds: float) -> list[dict[str, Any]]:
    """Latencies in milliseconds of one worker at part loads, with the model's own time for such batches.

    Args:
        site: Where.
        capacity: Events a second that a worker can take.
        seconds: How long at each load.
    """
    await site.broker.renew(PREDICTIONS_OUT)
    await site.broker.place(GROUP, PRODUCTS_IN, waiting=0)
    rows = []
    with worker("classify", site.settings, site.log) as one:
        await one.ready()
        for load in (Load(share, share * capacity, seconds) for share in SHARES):
            before = one.metrics()
            row = await one_load(site.broker.bootstrap, load)
            after = one.metrics()
            row |= {"batch_events": mean(before, after, _BATCH), "lag_p99_ms": _lag_ms(before, after)}
            rows.append(row)
            site.step(f"latency at {load.share:.0%}: p50 {row['p50_ms']:.1f} ms, p99 {row['p99_ms']:.1f} ms")
    sizes = [max(1, round(row["batch_events"] or 1)) for row in rows]
    alone = await asyncio.to_thread(call_ms, site, sizes)
    return [row | {"model_ms": alone[str(size)]} for row, size in zip(rows, sizes, strict=True)]


async def one_load(bootstrap: str, load: Load) -> dict[str, Any]:
    """Figures of one load."""
    times, figures = await latencies(bootstrap, load)
    p50, p95, p99 = (float(value) for value in np.percentile(times, (50, 95, 99)))
    return figures | {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99}


async def latencies(bootstrap: str, load: Load) -> tuple[np.ndarray[Any, Any], dict[str, Any]]:
    """How many milliseconds each event took that nobody had seen before, and what there was of them."""
    records = Events(f"latency-{uuid4()}", PARTITIONS).first(int(load.rate * (load.seconds + _WARMUP_S)))
    sent: dict[bytes, float] = {}
    taken: list[tuple[float, float]] = []  # when it was sent, and how long it took

    def note(record: OutRecord) -> None:
        assert record.headers[0][1] is not None
        sent[record.headers[0][1]] = monotonic()

    async with reader_client(bootstrap, PREDICTIONS_OUT, from_start=False) as reader:
        for partition in reader.assignment():
            await reader.position(partition)
        gc.collect()
        gc.freeze()
        collecting = asyncio.create_task(_collect(reader, sent, taken))
        began = monotonic()
        count = await publish_steadily(bootstrap, records.__getitem__, load.rate, enough=len(records).__le__, sent=note)
        lasted = monotonic() - began
        until = monotonic() + _STRAGGLERS_S
        while len(taken) < count and monotonic() < until:
            await asyncio.sleep(0.05)
        collecting.cancel()
        gc.unfreeze()
    times = 1000 * np.array([took for at, took in taken if at >= began + _WARMUP_S])
    return times, {
        "share": load.share,
        "rate": load.rate,
        "sent_rate": count / lasted,
        "events": len(times),
        "missing": count - len(taken),
    }


async def _collect(reader: Any, sent: dict[bytes, float], taken: list[tuple[float, float]]) -> None:
    while True:
        fetched = await reader.getmany(timeout_ms=1000)
        now = monotonic()
        for rows in fetched.values():
            for record in rows:
                identity = next((value for name, value in record.headers if name == EVENT_ID), b"")
                if (at := sent.pop(identity, None)) is not None:
                    taken.append((at, now - at))


def _lag_ms(before: dict[str, float], after: dict[str, float]) -> float | None:
    lag = quantile(before, after, "aisle_event_loop_lag_seconds", 0.99)
    return None if lag is None else 1000 * lag
