"""`aisle replay --resume`, where what it read is not what it was."""

import asyncio
import json
from pathlib import Path

import pytest

from infra.kafka.clients import admin_client
from tests.integration.conftest import Services
from tests.integration.road import eventually
from tests.integration.test_replay import make, read, replay, topic

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

__all__ = ["topic"]


async def test_a_topic_that_was_made_anew_is_not_read_by_the_old_ones_offsets(
    services: Services, topic: str, tmp_path: Path
) -> None:
    """What stands there now are other records: a replay that was stopped says so at once, and sends none of them."""
    target = f"{topic}-rest"
    await make(services, target)
    arguments = ["--topic", topic, "--to", target, "--limit", "20", "--json"]
    done = await asyncio.to_thread(replay(services, tmp_path, *arguments).communicate, timeout=60)
    name = json.loads(done[0])["replay"]
    async with admin_client(services.kafka_bootstrap) as admin:
        await admin.delete_topics([topic])

        async def gone() -> bool:
            return topic not in await admin.list_topics()

        await eventually(gone, 60)
    await make(services, topic)
    resumed = replay(services, tmp_path, "--resume", name)
    _, said = await asyncio.to_thread(resumed.communicate, timeout=60)
    assert 0 != resumed.returncode
    assert f"{topic} was deleted and made anew" in said
    assert 20 == len(await read(services, target))
