"""What the workers beside the road do when they start."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import AsyncMock

import pytest

from infra.errors import StoreUnavailable
from infra.health import Health
from infra.settings import Settings
from infra.store import Store
from workers.monitor import worker as monitor
from workers.retrain import worker as retrain
from workers.retrain.wakeup import Wakeup


class Enough(Exception):
    """The worker has come to its work."""


class Answering(Store):
    """A store that answers."""

    async def wait(self, timeout_s: float | None = None) -> None:
        """It does."""


@pytest.mark.parametrize(("module", "kind"), [(monitor, "Monitor"), (retrain, "Retrainer")], ids=["monitor", "retrain"])
async def test_a_store_without_a_primary_is_waited_for(
    module: ModuleType, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers and cannot write yet: no reason to end and be started again."""

    @asynccontextmanager
    async def listening(*_: Any) -> AsyncIterator[None]:
        yield

    class Work:
        def __init__(self, *_: Any) -> None:
            self.lease = AsyncMock()
            self.close = AsyncMock()

        async def work(self, _health: Health) -> None:
            raise Enough

    prepare = AsyncMock(side_effect=[StoreUnavailable("No primary."), StoreUnavailable("No primary."), None])
    monkeypatch.setattr(module, "prepare", prepare)
    monkeypatch.setattr(module, "Store", Answering)
    monkeypatch.setattr(module, kind, Work)
    monkeypatch.setattr(Wakeup, "listening", listening)
    settings = Settings(
        data_dir=tmp_path, mongodb_uri="mongodb://here:1", kafka_bootstrap="here:2", monitor_nice=0, retry_budget_s=10
    )
    health = Health()
    with pytest.raises(Enough):
        await module.main(settings, health)
    assert ({}, 3) == (health.waiting, prepare.await_count)
