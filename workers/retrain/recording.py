"""``python -m workers.retrain.recording``: tells MLflow of runs; in a process of its own, as MLflow stays in memory."""

import asyncio
import os
from typing import Final

from infra.endpoints import find_mongodb
from infra.lifeline import watch_lifeline
from infra.logging import configure_logging, get_logger
from infra.runs import Runs
from infra.settings import Settings, load_settings
from infra.store import Store
from workers.registry import Gates, recorded

_RUNS: Final = 20

logger = get_logger(__name__)


def main() -> None:
    """Record models, what the gate said of them, and which is in service."""
    watch_lifeline()
    settings = load_settings()
    os.nice(settings.retrain_nice)
    configure_logging(settings, worker="training")
    if (why := recorded(settings, gates=asyncio.run(_gates(settings)))) is not None:
        logger.warning("not recorded", why=why)


async def _gates(settings: Settings) -> Gates:
    store = Store(find_mongodb(settings), settings.mongodb_database)
    try:
        runs = await Runs(store).latest(_RUNS)
    finally:
        store.close()
    return {run.version: run.decision for run in runs if run.version is not None and run.decision is not None}


if __name__ == "__main__":
    main()
