"""From where the archive reads again after a restore, on a real broker."""

from uuid import uuid4

import pytest
from aiokafka.admin import NewTopic
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from infra.backup import topics
from infra.kafka.clients import admin_client
from tests.integration.conftest import Services

pytestmark = pytest.mark.integration


async def test_what_came_since_is_archived_again(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of partitions that were empty then, or not there, and of a topic that was made anew: from their beginning."""
    monkeypatch.setattr(topics, "ARCHIVE", f"archive-{uuid4().hex}")
    bootstrap, same, remade = services.kafka_bootstrap, f"same-{uuid4().hex}", f"remade-{uuid4().hex}"
    async with admin_client(bootstrap) as admin:
        await admin.create_topics([NewTopic(same, 3, 1), NewTopic(remade, 1, 1)])
    places = [*(TopicPartition(same, number) for number in range(3)), TopicPartition(remade, 0)]

    async def commit(*offsets: int) -> None:
        found = zip(places, offsets, strict=True)
        await topics._commit(bootstrap, {place: OffsetAndMetadata(offset, "") for place, offset in found if offset})

    await commit(5, 0, 3, 5)
    positions = [
        one.model_copy(update={"topic_id": "another"}) if one.topic == remade else one
        for one in await topics.positions_of(bootstrap)
    ]
    await commit(9, 4, 3, 7)

    assert 3 == await topics.go_back(bootstrap, positions)
    stands = {(one.topic, one.partition): one.offset for one in await topics.positions_of(bootstrap)}
    assert [5, 0, 3, 0] == [stands[tuple(place)] for place in places]
    assert 0 == await topics.go_back(bootstrap, positions)
