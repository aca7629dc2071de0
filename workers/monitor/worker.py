"""The monitor: does each check when its schedule says so, and tells people what is wrong, once, and when it is over.

It reads the store and is in no consumer group: nothing waits for it. Of several monitors one works.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Final
from uuid import uuid4

from infra.endpoints import find_mongodb
from infra.health import Health
from infra.lease import Clock, Lease, utc_now
from infra.logging import get_logger
from infra.metrics.monitor import show_check, show_nothing
from infra.settings import Settings
from infra.store import Store
from infra.store_schema import prepare
from infra.webhook import Webhook
from schemas.errors import AisleError
from workers.monitor.checks import Check, Checks, Kind, News
from workers.monitor.jobs import Jobs
from workers.monitor.lag import watch_lag
from workers.monitor.schedule import is_due
from workers.monitor.swaps import EVERY

DAILY: Final = "10 0 * * *"
"""When the figures of the day before are put together, in UTC."""

_LOOK_EVERY_S: Final = 10.0
_LEASE_S: Final = 300.0

Job = tuple[str, Callable[[datetime], Awaitable[Check | None]]]
"""A cron expression, and what is due by it."""

logger = get_logger(__name__)


async def main(settings: Settings, health: Health) -> None:
    """Work until cancelled."""
    os.nice(settings.monitor_nice)
    store = Store(find_mongodb(settings), settings.mongodb_database)
    health.waits_for("store", f"no MongoDB server answers at {store.address}")
    await store.wait()
    await store.retrying(lambda: prepare(store), settings.retry_budget_s)
    health.has("store")
    monitor = Monitor(store, schedules(settings, Jobs(settings, store)), Webhook.of(settings))
    health.has("start")
    lag = asyncio.create_task(watch_lag(settings))
    try:
        await monitor.work(health)
    finally:
        lag.cancel()
        await monitor.close()
        store.close()


def schedules(settings: Settings, jobs: Jobs) -> dict[Kind, Job]:
    """What is done when."""
    return {
        "drift": (settings.monitor_schedule, jobs.drift),
        "accuracy": (settings.monitor_schedule, jobs.accuracy),
        "canary": (settings.canary_schedule, jobs.canary),
        "serving": (DAILY, jobs.serving),
        "swap": (EVERY, jobs.swap),
    }


class Monitor:
    """Does what is due, and tells of it.

    Args:
        store: Where checks are.
        jobs: What is done when.
        webhook: Who is told; None: only the log, and whoever reads the documents.
        clock: Tells the time.
    """

    def __init__(
        self, store: Store, jobs: Mapping[Kind, Job], webhook: Webhook | None = None, clock: Clock = utc_now
    ) -> None:
        self._checks = Checks(store)
        self._jobs = jobs
        self._webhook = webhook
        self._clock = clock
        self._lease = Lease(
            store,
            "monitoring",
            f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}",
            lasts_s=_LEASE_S,
            clock=clock,
        )
        self._started = clock()
        self._done: dict[Kind, datetime] = {}
        self._telling: set[asyncio.Task[None]] = set()

    async def work(self, health: Health) -> None:
        """Look again and again whether something is due."""
        while True:
            try:
                if await self._lease.take():
                    await self.look(health)
                    health.says("monitor", "works")
                else:
                    health.says("monitor", "another one works")
                    show_nothing()
            except AisleError as error:
                logger.warning("cannot monitor", error=error.code, why=error.message)
                health.says("monitor", error.message)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def look(self, health: Health) -> None:
        """Do what is due now; what cannot be done is tried again when its schedule says so.

        Raises:
            StoreUnavailable: Nobody knows what was done last.
        """
        for kind, (expression, job) in self._jobs.items():
            now = self._clock()
            if not is_due(expression, await self._before(kind), now):
                continue
            self._done[kind] = now
            try:
                check = await job(now)
                if check is not None:
                    await self._conclude(check)
            except AisleError as error:
                logger.warning("check not done", check=kind, error=error.code, why=error.message)
                health.says(kind, error.message)
            except Exception:  # the other checks go on, and so does everything beside us
                logger.exception("check failed", check=kind)
                health.says(kind, "failed; the log says how")
            else:
                health.says(kind, f"done at {now:%Y-%m-%d %H:%M:%S} UTC")

    async def close(self) -> None:
        """Stop telling, and leave the work to another monitor; what was not told is told with the next check."""
        for task in self._telling:
            task.cancel()
        with suppress(AisleError):
            await self._lease.drop()

    async def told(self) -> None:
        """Return once nobody has to be told any more."""
        await asyncio.gather(*self._telling)

    async def _before(self, kind: Kind) -> datetime:
        """When a check was done last, by this monitor or the one before it; what was never done waits for its time."""
        if kind not in self._done:
            last = await self._checks.last(kind)
            self._done[kind] = self._started if last is None else last["at"]
            if last is not None:
                show_check(last)
        return self._done[kind]

    async def _conclude(self, check: Check) -> None:
        check = await self._checks.continued(check)
        news = await self._checks.keep(check)
        show_check(check.document)
        for cause, why in news.raised.items():
            logger.warning("alert", check=check.identity, cause=cause, why=why)
        for cause in news.cleared:
            logger.info("alert is over", check=check.identity, cause=cause)
        if news:
            task = asyncio.create_task(self._tell(check, news))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _tell(self, check: Check, news: News) -> None:
        try:
            if self._webhook is not None:
                await self._webhook.post(check.identity, message_of(check, news))
            await self._checks.told(check)
        except AisleError as error:
            logger.warning("nobody could be told, trying with the next check", error=error.code, why=error.message)


def message_of(check: Check, news: News) -> dict[str, object]:
    """What is posted to the webhook."""
    return {
        "source": "aisle/monitor",
        "check": check.identity,
        "kind": check.kind,
        "at": check.at.isoformat(),
        "model_version": check.model_version,
        "raised": [{"cause": cause, "why": why} for cause, why in news.raised.items()],
        "cleared": news.cleared,
    }
