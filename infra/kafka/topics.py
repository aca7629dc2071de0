"""Topics are created by this and by nothing else: explicit partitions, replication, retention."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from infra.errors import TopicMissing
from infra.settings import Settings
from schemas.topics import FEEDBACK, FEEDBACK_DLQ, PREDICTIONS_OUT, PRODUCTS_DLQ, PRODUCTS_IN, TOPICS, TopicSpec

ANSWERS: Final = {PRODUCTS_IN: (PREDICTIONS_OUT, PRODUCTS_DLQ), FEEDBACK: (FEEDBACK_DLQ,)}
"""Which topics answer which, on the same partition number."""


@dataclass(frozen=True)
class TopicState:
    """A topic as the broker has it; no partitions when it does not exist."""

    name: str
    purpose: str
    partitions: int
    created: bool = False


async def topic_states(admin: AIOKafkaAdminClient) -> list[TopicState]:
    """The state of each of aisle's topics, in the order of the contract."""
    existing = set(await admin.list_topics())
    wanted = [spec.name for spec in TOPICS if spec.name in existing]
    described = {topic["topic"]: topic for topic in await admin.describe_topics(wanted)} if wanted else {}
    return [
        TopicState(spec.name, spec.purpose, len(described.get(spec.name, {}).get("partitions", ()))) for spec in TOPICS
    ]


async def create_topics(admin: AIOKafkaAdminClient, settings: Settings) -> list[TopicState]:
    """Create what is missing and leave the rest as it is.

    Raises:
        TopicMissing: The broker refused one, or the topics that must go in step do not.
    """
    states = await topic_states(admin)
    missing = {state.name for state in states if not state.partitions}
    await _create(admin, settings, (spec for spec in TOPICS if spec.name in missing))
    states = [
        TopicState(spec.name, spec.purpose, _partitions(spec, settings), created=True)
        if spec.name in missing
        else state
        for spec, state in zip(TOPICS, states, strict=True)
    ]
    for source in ANSWERS:
        check_in_step(states, source)
    return states


def check_in_step(states: Iterable[TopicState], source: str) -> None:
    """Check that the topics that answer a topic have room: each answer goes to its record's partition number.

    Args:
        states: All topics.
        source: The topic that is answered.

    Raises:
        TopicMissing: A topic does not exist, or one that answers has fewer partitions than the source.
    """
    partitions = {state.name: state.partitions for state in states}
    if absent := [name for name, count in partitions.items() if not count]:
        raise TopicMissing(f"Missing topics: {', '.join(absent)}.", hint="Run `aisle topics create`.")
    for name in ANSWERS[source]:
        if partitions[name] < partitions[source]:
            raise TopicMissing(
                f"{name} has {partitions[name]} partitions and {source} has {partitions[source]}.",
                hint=f"Grow {name} to at least as many.",
            )


def _partitions(spec: TopicSpec, settings: Settings) -> int:
    return spec.partitions or settings.topic_partitions


async def _create(admin: AIOKafkaAdminClient, settings: Settings, specs: Iterable[TopicSpec]) -> None:
    new = [
        NewTopic(spec.name, _partitions(spec, settings), settings.topic_replication, topic_configs=spec.config())
        for spec in specs
    ]
    if not new:
        return
    answer = await admin.create_topics(new, timeout_ms=30_000)
    for name, error_code, *rest in answer.topic_errors:
        error = for_code(error_code)
        if error_code and error is not TopicAlreadyExistsError:  # somebody else was quicker
            reason = rest[0] if rest and rest[0] else error.__name__
            raise TopicMissing(f"The broker did not create {name}: {reason}.", hint="Check AISLE_TOPIC_REPLICATION.")
