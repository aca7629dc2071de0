"""How long answers stop after a SIGKILL of a worker, with and without a supervisor, and of the broker."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, Final

from infra.children import worker as child
from infra.supervisor import ProcessEvent, Supervisor
from schemas.topics import PREDICTIONS_OUT, PRODUCTS_IN
from streams.classify_worker import GROUP
from tests.bench.broker import PARTITIONS, Broker, Ends
from tests.bench.load import Events, publish_steadily
from tests.bench.site import Site
from tests.bench.worker import Worker, worker

_POLL_S: Final = 0.05
_AFTER_S: Final = 1.0
"""What a partition answers later than this after a kill is not from the killed one."""
_LONGEST_S: Final = 90.0
_BEFORE_S: Final = 2.0


async def measure(site: Site, rate: float) -> dict[str, float | None]:
    """Seconds from each kill until every partition is answered again, of two workers under a steady load.

    None where that took longer than ``_LONGEST_S``.
    """
    found: dict[str, float | None] = {"session_timeout_s": site.settings.session_timeout_s}
    async with _two_workers(site) as two, _load(site.broker, "worker", rate):
        killed_at = monotonic()
        two.kill()
        found["worker_killed_s"] = await _recovery_s(site.broker, killed_at)
    site.step(f"worker killed: its partitions move on after {found['worker_killed_s']} s")
    found |= await _supervised(site, rate)
    site.step(f"worker killed and replaced: all answered after {found['worker_replaced_s']} s")
    async with _two_workers(site), _load(site.broker, "broker", rate):
        killed_at = monotonic()
        site.broker.services.kill_one("kafka")
        await asyncio.to_thread(site.broker.services.start_one, "kafka")
        found["broker_answers_s"] = monotonic() - killed_at
        found["broker_killed_s"] = await _recovery_s(site.broker, killed_at)
    site.step(f"broker killed: all answered after {found['broker_killed_s']} s")
    return found


@asynccontextmanager
async def _two_workers(site: Site) -> AsyncIterator[Worker]:
    """Two workers that are ready; the second of them."""
    await site.broker.renew(PREDICTIONS_OUT)
    await site.broker.place(GROUP, PRODUCTS_IN, waiting=0)
    with worker("classify", site.settings, site.log) as one, worker("classify", site.settings, site.log) as two:
        await asyncio.gather(one.ready(), two.ready())
        yield two


async def _supervised(site: Site, rate: float) -> dict[str, float | None]:
    """Two workers under a supervisor, of which one is killed."""
    ready: dict[str, list[float]] = {}
    pids: dict[str, int] = {}

    def note(event: ProcessEvent) -> None:
        if event.what == "ready" and event.pid is not None:
            ready.setdefault(event.name, []).append(monotonic())
            pids[event.name] = event.pid

    async def until(times: int) -> None:
        async with asyncio.timeout(_LONGEST_S):
            while len(ready.get("classify-2", ())) < times or "classify-1" not in ready:
                await asyncio.sleep(_POLL_S)

    await site.broker.place(GROUP, PRODUCTS_IN, waiting=0)
    supervisor = Supervisor(note)
    try:
        await supervisor.start([child(site.settings, f"classify-{number + 1}", number) for number in range(2)])
        await until(1)
        async with _load(site.broker, "supervised", rate):
            killed_at = monotonic()
            os.kill(pids["classify-2"], signal.SIGKILL)
            recovery_s = await _recovery_s(site.broker, killed_at)
            await until(2)
            return {"worker_replaced_s": recovery_s, "replacement_ready_s": ready["classify-2"][1] - killed_at}
    finally:
        await supervisor.stop()


@asynccontextmanager
async def _load(broker: Broker, name: str, rate: float) -> AsyncIterator[None]:
    """A steady load while the context lasts, flowing on all partitions when it begins."""
    over = asyncio.Event()
    event = Events(f"recovery-{name}", PARTITIONS).event
    sending = asyncio.create_task(publish_steadily(broker.bootstrap, event, rate, enough=lambda _: over.is_set()))
    try:
        await asyncio.sleep(_BEFORE_S)
        await _recovery_s(broker, monotonic() - _AFTER_S)
        yield
    finally:
        over.set()
        await sending


async def _recovery_s(broker: Broker, killed_at: float) -> float | None:
    """Seconds from then until the last partition is answered again; None if that takes too long."""
    async with Ends(broker.bootstrap, PREDICTIONS_OUT) as ends:
        last, moved_at = await ends.now(), dict[int, float]()
        while len(moved_at) < PARTITIONS:
            await asyncio.sleep(_POLL_S)
            now, at = await ends.now(), monotonic()
            if at - killed_at > _LONGEST_S:
                return None
            if at - killed_at > _AFTER_S:
                for partition in range(PARTITIONS):
                    if now[partition] > last[partition]:
                        moved_at.setdefault(partition, at)
            last = now
    return round(max(moved_at.values()) - killed_at, 2)


def rows(found: Mapping[str, Any]) -> list[tuple[str, float | None]]:
    """What the table says, with its words."""
    return [
        ("a worker killed: every partition answered again (session timeout included)", found["worker_killed_s"]),
        ("a worker killed under the supervisor: every partition answered again", found["worker_replaced_s"]),
        ("a worker killed under the supervisor: its replacement is ready", found["replacement_ready_s"]),
        ("the broker killed: it answers again", found["broker_answers_s"]),
        ("the broker killed: every partition answered again", found["broker_killed_s"]),
    ]
