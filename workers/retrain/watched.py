"""The figures as they stand, from what is in service and which runs there were."""

import asyncio

from infra.runs import Runs
from infra.settings import Settings
from infra.store import Store
from model.bundle import read_manifest
from model.fetch import fetch_bundle
from schemas.model_event import ModelEvent
from workers.retrain.figures import Cut, count
from workers.retrain.triggers import Figures


async def last_cut(runs: Runs) -> Cut:
    """Up to where verdicts were counted."""
    run = await runs.last_cut()
    return Cut() if run is None else Cut(run.cut_at, None if run.counted is None else frozenset(run.counted))


async def figures_now(store: Store, settings: Settings, champion: ModelEvent, cut: Cut) -> Figures:
    """Count what triggers look at.

    Raises:
        StoreUnavailable: The store is away.
        BundleUnavailable: The champion's bundle is not to be had.
        BundleInvalid: It is damaged.
    """
    bundle = await asyncio.to_thread(fetch_bundle, champion, settings.data_dir / "models")
    classes = [entry.code for entry in read_manifest(bundle).categories]
    return await count(store, champion.model.version, classes, cut, settings.retrain_judged)
