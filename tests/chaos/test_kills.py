"""Nothing is lost, whatever is killed: the shortest form of the chaos harness."""

import os
import random
from pathlib import Path

import pytest

from infra.settings import Settings
from tests.chaos.report import markdown
from tests.chaos.run import Plan, run
from tests.chaos.schedule import SHORT

pytestmark = [pytest.mark.integration, pytest.mark.chaos, pytest.mark.timeout(400)]


async def test_kills_lose_nothing(bundle: Path, tmp_path: Path) -> None:
    """Workers killed three times, the archive and the broker once, under load: each event answered and archived."""
    seed = int(os.environ.get("AISLE_CHAOS_SEED", random.randrange(10**6)))
    print(f"AISLE_CHAOS_SEED={seed}")
    settings = Settings(data_dir=tmp_path / "var", kafka_bootstrap=None, mongodb_uri=None, model=bundle)

    report = await run(Plan(SHORT, seed, tmp_path), settings)

    assert report is not None
    print(markdown(report))
    assert report.wrong == []
    assert report.verdict.documents == report.verdict.published >= SHORT.events
    assert len(report.faults) == sum(count for _, _, count in SHORT.faults)
