"""A topic made anew under its old name is told from the old one."""

from collections.abc import Collection
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka.errors import KafkaError, LeaderNotAvailableError, NodeNotReadyError

from infra.errors import TopicMissing, TopicRemade
from infra.kafka.topic_ids import TopicIds, topic_ids

TOPICS = ("products.in", "feedback")


class Broker:
    """A broker with topics, or one that does not answer."""

    def __init__(self) -> None:
        self.ids = {name: uuid4() for name in TOPICS}
        self.raises: Exception | None = None
        self.error_code = 3

    def get_random_node(self) -> int | None:
        """Its number."""
        return 1

    async def send(self, _node: int, request: Any) -> Any:
        """Decode a request off the wire, and answer it."""
        if self.raises is not None:
            raise self.raises
        wanted = request.prepare({3: (0, 13)})
        names: Collection[str] = [name for _, name, _ in type(wanted).decode(wanted.encode()).topics]
        topics: list[tuple[Any, ...]] = [
            (0, name, self.ids[name], False, [], 0, {})
            if name in self.ids
            else (self.error_code, name, UUID(int=0), False, [], 0, {})
            for name in names
        ]
        answer = type(wanted).RESPONSE_TYPE
        return answer.decode(answer(0, [(1, "h", 9092, None, {})], "c", 1, topics, {}).encode())


async def learned(broker: Broker) -> TopicIds:
    """Ids as of an assignment."""
    ids = TopicIds()
    await ids.learn(broker, TOPICS)
    return ids


async def test_the_same_topics_may_be_committed() -> None:
    """As often as it takes; what other topics do does not matter."""
    broker = Broker()
    ids = await learned(broker)
    broker.ids["other"] = uuid4()
    await ids.check(broker)
    await ids.check(broker)


async def test_a_topic_made_anew_is_named_every_time() -> None:
    """Until the next assignment nothing may be committed to it."""
    broker = Broker()
    ids = await learned(broker)
    broker.ids["feedback"] = uuid4()
    for _ in range(2):
        with pytest.raises(TopicRemade, match=r"feedback was deleted and made anew"):
            await ids.check(broker)
    await ids.learn(broker, TOPICS)
    await ids.check(broker)


async def test_a_deleted_topic_is_named() -> None:
    """At a commit, and at an assignment; the error is not that of one made anew."""
    broker = Broker()
    ids = await learned(broker)
    del broker.ids["feedback"]
    for call in (ids.check(broker), ids.learn(broker, TOPICS)):
        with pytest.raises(TopicMissing, match=r"no topic feedback any more. Run `aisle topics create`") as e:
            await call
        assert e.value.code == "topic-missing"


async def test_a_broker_that_is_away_stops_a_commit_and_no_assignment() -> None:
    """What could not be learned at the assignment is learned at the first check that is answered."""
    broker = Broker()
    broker.raises = NodeNotReadyError("away")
    ids = await learned(broker)
    with pytest.raises(KafkaError):
        await ids.check(broker)
    broker.raises = None
    await ids.check(broker)
    broker.ids["feedback"] = uuid4()
    with pytest.raises(TopicRemade):
        await ids.check(broker)


async def test_a_topic_without_a_leader_is_not_missing() -> None:
    """Only the broker's word that there is none makes it so."""
    broker = Broker()
    del broker.ids["feedback"]
    broker.error_code = LeaderNotAvailableError.errno
    with pytest.raises(LeaderNotAvailableError):
        await topic_ids(broker, TOPICS)


async def test_brokers_without_ids_are_trusted() -> None:
    """Before Kafka 2.8 there is nothing to tell the two by: work goes on."""
    broker = Broker()
    broker.raises = NotImplementedError("Support for _MetadataRequest v9 has not yet been added")
    ids = await learned(broker)
    await ids.check(broker)
