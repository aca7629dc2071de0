"""What the monitor does, one function a kind of check; each gives what it found, or nothing where it cannot tell."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from infra.endpoints import find_kafka
from infra.errors import BrokerUnavailable, DeliveryFailed
from infra.logging import get_logger
from infra.settings import Settings
from infra.store import ITEMS, Store
from model.drift.compare import Drift
from schemas.ids import CANARY
from schemas.model_event import ModelEvent
from workers.monitor import accuracy, canaries, drift, swaps
from workers.monitor.answers import answers
from workers.monitor.aside import Aside, in_a_process
from workers.monitor.champion import Champion, champion_of, decided_of
from workers.monitor.checks import Check, Checks, Kind
from workers.monitor.reports import report_name, write_report
from workers.monitor.seen import newest_products, newest_verdicts
from workers.registry import serving_recorded

MIN_PRODUCTS: Final = 500
"""Fewer products tell nothing of drift: neighbours in a file, or of one producer, are alike."""

_DAILY_FIGURES: Final[Mapping[Kind, Mapping[str, str]]] = {
    "drift": {"share": "drift_share", "review_share": "review_share", "mean_confidence": "mean_confidence"},
    "accuracy": {name: name for name in ("verdicts", "accuracy", "weighed_accuracy", "weighted_f1")},
    "canary": {"sent": "canaries", "right": "canaries_right"},
}

logger = get_logger(__name__)


@dataclass(frozen=True)
class Jobs:
    """The checks.

    Args:
        settings: What is watched, and from which figure on it is wrong.
        store: Where items and checks are.
        aside: Does what takes hundreds of megabytes, so that this process never has them.
        champion: Gives the model in service; blocks.
        decided: Gives the decision that workers follow; blocks.
    """

    settings: Settings
    store: Store
    aside: Aside = in_a_process
    champion: Callable[[Settings], Champion] = champion_of
    decided: Callable[[Settings], ModelEvent | None] = decided_of

    async def drift(self, now: datetime) -> Check | None:
        """Hold the newest products and answers against the champion's reference."""
        champion = await asyncio.to_thread(self.champion, self.settings)
        if champion.reference is None:
            logger.warning("the champion keeps no reference: train anew to tell drift", version=champion.version)
            return None
        seen = await newest_products(self.store, self.settings.monitor_rows)
        if len(seen) < MIN_PRODUCTS:
            logger.info("too few products to tell drift", products=len(seen), needed=MIN_PRODUCTS)
            return None
        found = await asyncio.to_thread(drift.look, seen, champion.version, champion.reference, self.settings.drift_psi)
        wrong = drift.causes(found, self.settings.alert_drift_share)
        figures = drift.figures_of(found, seen, champion.version)
        check = Check("drift", now, champion.version, figures, wrong)
        return await self._with_report(check, found)

    async def accuracy(self, now: datetime) -> Check | None:
        """What people said last of the champion's answers."""
        champion = await asyncio.to_thread(self.champion, self.settings)
        judged = await newest_verdicts(self.store, self.settings.monitor_rows, champion.version)
        if not judged:
            return None
        last = await Checks(self.store).last("drift")
        same = last is not None and last["model_version"] == champion.version
        review_share = last.get("review_share") if last is not None and same else None
        figures = await asyncio.to_thread(accuracy.scores, judged, review_share)
        wrong = accuracy.causes(figures, self.settings.alert_accuracy, self.settings.alert_weighted_f1)
        return Check("accuracy", now, champion.version, figures, wrong, partial(accuracy.tells, figures))

    async def canary(self, now: datetime) -> Check | None:
        """Send the canaries, and see how they are answered."""
        if self.settings.canaries is None:
            return None
        champion = await asyncio.to_thread(self.champion, self.settings)
        taxonomy = champion.manifest.taxonomy
        sent = await asyncio.to_thread(canaries.read_canaries, self.settings.canaries, taxonomy, now)
        try:
            await canaries.send(find_kafka(self.settings), sent)
        except (BrokerUnavailable, DeliveryFailed) as error:
            figures = {"sent": 0, "answered": 0, "right": 0}
            wrong = {"broker": f"Not sent: {error.message}"}
            return Check("canary", now, champion.version, figures, wrong, wrong.__contains__)
        events = [one.event_id for one in sent]
        found = await answers(self.store, events, self.settings.canary_wait_s)
        figures, wrong = canaries.judge(sent, found)
        return Check("canary", now, champion.version, figures, wrong)

    async def swap(self, now: datetime) -> Check | None:
        """See whether answers come from the champion; nothing to say while they do, and while there are none."""
        decided = await asyncio.to_thread(self.decided, self.settings)
        if decided is None:
            return None
        found = await swaps.answering(self.store, decided, now)
        wrong = swaps.causes(found, decided)
        last = await Checks(self.store).last("swap")
        if not found or not (wrong or (last and (last["causes"] or last["told"]))):
            return None
        return Check("swap", now, decided.model.version, swaps.figures_of(found), wrong)

    async def serving(self, now: datetime) -> Check | None:
        """Yesterday's figures of the model in service, for MLflow too."""
        day = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
        checks = Checks(self.store)
        await checks.forget(now)
        if (last := await checks.last("drift")) is None:
            return None
        version = str(last["model_version"])
        figures = await self._figures(checks, day, version)
        try:
            why = await self.aside(serving_recorded, self.settings, version, figures, day.date())
        except Exception as error:  # noqa: BLE001 - MLflow is told for comfort
            why = repr(error)
        if why is not None:
            logger.warning("the day's figures are not in MLflow", why=why)
        return Check("serving", now, version, {"day": day, **figures})

    async def _figures(self, checks: Checks, day: datetime, version: str) -> dict[str, float]:
        """How many products came that day, and what was found last of them and of the model."""
        that_day = {
            "product.published_at": {"$gte": day, "$lt": day + timedelta(days=1)},
            "product_id": {"$not": {"$regex": f"^{CANARY}"}},
        }
        with self.store.named_errors():
            products = await self.store.collection(ITEMS).count_documents(that_day)
        known: dict[str, Any] = {"products": products}
        for kind, names in _DAILY_FIGURES.items():
            last = await checks.last(kind, model_version=version, at={"$gte": day}) or {}
            known |= {name: last[field] for field, name in names.items() if last.get(field) is not None}
        return {name: float(value) for name, value in known.items()}

    async def _with_report(self, check: Check, found: Drift) -> Check:
        """The check with the place of its report, where one is written."""
        last = await Checks(self.store).last("drift")
        begins = bool(check.causes) and not (last and last["alert"])
        place = report_name(self.settings.data_dir, check.at, alert=begins)
        if place is None or not found.columns:
            return check
        folder, name = place
        try:
            await self.aside(write_report, found, self.settings.drift_psi, folder, name)
        except Exception as error:  # noqa: BLE001 - a page that cannot be made is no reason to say nothing of drift
            logger.warning("the drift report could not be written", why=repr(error))
            return check
        report = f"monitor/{folder.name}/{name}.html"
        return Check(check.kind, check.at, check.model_version, {**check.figures, "report": report}, check.causes)
