"""A model in the shadow: it scores a sample, and nothing that others see changes by it."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import Result
from pymongo import MongoClient

from infra.settings import Settings
from model.champion import read_champion
from scripts.models import command as models
from streams.shadow import is_sampled
from tests.integration.road import Road, answers, eventually, good, send, wait
from tests.integration.test_worker import causes, free_port, worker

pytestmark = [pytest.mark.integration, pytest.mark.timeout(500)]

SHARE = 0.5
CHALLENGER = "20991231-000000-shadow"


@pytest.fixture
def champion(road: Road) -> Iterator[str]:
    """The champion's version; its bundle is there once more, under another one."""
    models_dir = road.settings.data_dir / "models"
    event = read_champion(models_dir)
    assert event is not None
    path = shutil.copytree(models_dir / event.model.version, models_dir / CHALLENGER) / "manifest.json"
    path.chmod(0o644)
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | {"version": CHALLENGER}))
    yield event.model.version
    shutil.rmtree(path.parent)


async def test_a_challenger_scores_a_sample_and_answers_nobody(
    road: Road, champion: str, on_the_road: Callable[..., Result], tmp_path: Path
) -> None:
    """What it says goes to shadow.out and the store; every product is answered once, by the champion; off ends it."""

    async def aisle_models(*arguments: str) -> str:
        done = await asyncio.to_thread(on_the_road, models, *arguments)
        assert 0 == done.exit_code, done.output
        return done.stdout

    kafka, port = road.kafka, free_port()
    assert f"{CHALLENGER} is in the shadow" in await aisle_models("shadow", CHALLENGER[:8], "--why", "a test")
    settings = Settings(
        data_dir=road.settings.data_dir, kafka_bootstrap=kafka, shadow_sample=SHARE, health_port=port, mongodb_uri=None
    )
    with worker("shadow", settings, tmp_path / "shadow.log") as process:
        await asyncio.to_thread(wait, lambda: causes(port) == {}, 90)

        async def begun() -> bool:  # it begins at the end of the topic, wherever that is by now
            probes = [good(number) for number in range(10)]
            await send(kafka, "products.in", probes)
            await asyncio.sleep(0.5)
            return bool(await answers(kafka, "shadow.out", [probe.event_id for probe in probes]))

        await eventually(begun, 60)
        sent = [good(number) for number in range(40)]
        await send(kafka, "products.in", sent)
        ids = {one.event_id for one in sent}
        sample = {event_id for event_id in ids if is_sampled(event_id, SHARE)}
        await asyncio.to_thread(wait, lambda: sample <= _stored(road).keys(), 60)
        await asyncio.to_thread(wait, lambda: all("prediction" in item for item in _items(road, ids)), 30)

        assert sample == (await answers(kafka, "shadow.out", ids)).keys()
        assert {CHALLENGER} == {document["version"] for document in _stored(road).values()}
        assert {champion} == {item["prediction"]["model"]["version"] for item in _items(road, ids)}
        assert dict.fromkeys(ids, 1) == await answers(kafka, "predictions.out", ids)
        shown = orjson.loads(await aisle_models("compare", "champion", "challenger", "--json"))["shadow"]
        assert 1.0 == shown["agreement"]
        assert len(sample) <= shown["products"]

        assert "no model is in the shadow" in await aisle_models("shadow", "off")
        await asyncio.to_thread(wait, lambda: "challenger" in (causes(port) or {}), 30)
        process.terminate()
        assert 0 == await asyncio.to_thread(process.wait, 30)


def _stored(road: Road) -> dict[str, dict[str, Any]]:
    """Answers in the shadow, by event id."""
    with MongoClient[dict[str, Any]](road.mongodb) as client:
        return {found["event_id"]: found for found in client[road.settings.mongodb_database]["shadow"].find()}


def _items(road: Road, ids: set[str]) -> list[dict[str, Any]]:
    return [item for item in road.items(ids).values() if item]
