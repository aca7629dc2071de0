"""What comes of a judged model: in service, kept aside, or refused."""

import asyncio
from collections.abc import Mapping, Sequence
from shutil import rmtree
from typing import Any, Final

from infra.logging import get_logger
from infra.runs import Run, State
from infra.settings import Settings
from model.champion import promotion
from model.errors import PromotionRefused
from schemas.model_event import ModelEvent
from workers.promotion import look_up, put_in_force

logger = get_logger(__name__)

BY: Final = "aisle retrain"
KEPT_REFUSED: Final = 3


async def conclude(run: Run, settings: Settings) -> tuple[State, str]:
    """Put the model of a run in service, if it passed; what became of it, and why.

    The record on ``models.events`` names the champion that it was compared with: if another one is in service by now,
    the promotion does not count.
    """
    decision: dict[str, Any] = run.decision or {}
    reasons = "; ".join(decision.get("reasons", ()))
    if not decision.get("passed"):
        return "refused", f"{run.version} was refused: {reasons}"
    if not settings.retrain_promote:
        return "passed", f"{run.version} passed and waits for `aisle models promote {run.version}`: {reasons}"
    try:
        await asyncio.to_thread(_promote, run, settings, reasons)
    except PromotionRefused as error:
        return "refused", f"{run.version} passed, but was not put in service: {error.message}"
    return "promoted", f"{run.version} is in service: {reasons}"


def forget_refused(runs: Sequence[Run], settings: Settings) -> None:
    """Remove the bundles of models that were refused, but for the latest few, which people may want to look at.

    Args:
        runs: Refused ones, the latest first.
        settings: ``data_dir`` is used.
    """
    now = look_up(settings)
    kept = {*now.made, now.event.model.version if now.event else "", now.event.previous if now.event else ""}
    for run in runs[KEPT_REFUSED:]:
        if run.version is not None and run.version not in kept:
            rmtree(settings.data_dir / "models" / run.version, ignore_errors=True)


def _promote(run: Run, settings: Settings, reasons: str) -> None:
    bundle = settings.data_dir / "models" / str(run.version)

    def following(before: ModelEvent | None, made: Mapping[str, ModelEvent]) -> ModelEvent:
        if before is not None and before.model.version == run.version:
            return before  # it was put in service before this process began
        if run.version in made:
            raise PromotionRefused(f"{run.version} was in service already, and was taken out.")
        return promotion(bundle, before, by=BY, why=f"run {run.id} ({run.trigger}): {reasons}", expected=run.champion)

    put_in_force(settings, following)
