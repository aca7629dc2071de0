"""The store for as long as a command needs it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.runs import Runs
    from infra.store import Store


@asynccontextmanager
async def opened_store() -> "AsyncIterator[Store]":
    """The store that the settings name, else the one that runs here.

    Raises:
        AisleError: There is neither.
    """
    from infra.endpoints import find_mongodb
    from infra.settings import load_settings
    from infra.store import Store

    settings = load_settings()
    store = Store(find_mongodb(settings), settings.mongodb_database)
    try:
        yield store
    finally:
        store.close()


@asynccontextmanager
async def opened_runs() -> "AsyncIterator[Runs]":
    """The retraining runs in that store."""
    from infra.runs import Runs

    async with opened_store() as store:
        yield Runs(store)
