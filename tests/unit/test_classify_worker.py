"""The classify worker's own steps."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from infra.settings import Settings
from schemas.prediction import ModelRef
from streams import classify_worker
from streams.loading import Ready
from streams.worker import Worker


class Enough(BaseException):
    """The test has seen what it came for."""


async def test_a_bundle_named_by_setting_is_served_whatever_is_decided(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It says so in log and health, and asks neither pointer file nor topic."""
    model: Any = SimpleNamespace(ref=ModelRef(name="aisle", version="pinned"))
    asked: list[Path] = []

    def make_ready(bundle: Path, _settings: Settings) -> Ready:
        asked.append(bundle)
        return Ready(model, {})

    async def broker(*_topics: str) -> str:
        raise Enough

    def champion(_models_dir: Path) -> None:
        pytest.fail("nobody is to be asked")

    monkeypatch.setattr(classify_worker, "make_ready", make_ready)
    monkeypatch.setattr(classify_worker, "Champion", champion)
    worker = Worker(Settings(data_dir=tmp_path, model=tmp_path / "named"))
    monkeypatch.setattr(worker, "broker", broker)
    with capture_logs() as lines, pytest.raises(Enough):
        await classify_worker.main(worker)

    assert [tmp_path / "named"] == asked
    assert ["AISLE_MODEL names this model: promotions and rollbacks are ignored"] == [line["event"] for line in lines]
    assert {"model": "aisle pinned, as AISLE_MODEL says: what is decided is ignored."} == worker.health._details
