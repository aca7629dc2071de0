"""Topics are created by this and by nothing else: explicit partitions, replication, retention."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from infra.errors import GrowthRefused, TopicMissing
from infra.settings import Settings
from schemas.topics import (
    FEEDBACK,
    FEEDBACK_DLQ,
    MODELS_EVENTS,
    PREDICTIONS_OUT,
    PRODUCTS_DLQ,
    PRODUCTS_IN,
    TOPICS,
    VERDICTS,
    TopicSpec,
)

ANSWERS: Final = {PRODUCTS_IN: (PREDICTIONS_OUT, PRODUCTS_DLQ), FEEDBACK: (FEEDBACK_DLQ,)}
"""Which topics answer which, on the same partition number."""

_NEVER_GROW: Final = {
    MODELS_EVENTS: "its decisions have one order, which only one partition keeps",
    VERDICTS: "its keys would move to other partitions, and their old records would stay beside the new for ever",
}


@dataclass(frozen=True)
class TopicState:
    """A topic as the broker has it; no partitions when it does not exist."""

    name: str
    purpose: str
    partitions: int
    created: bool = False


@dataclass(frozen=True)
class Growth:
    """One step of a growth: a topic with ``partitions`` gets ``wanted``; equal when there is nothing to do."""

    name: str
    partitions: int
    wanted: int


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


def check_in_step(states: Iterable[TopicState], source: str, also: Collection[str] | None = None) -> None:
    """Check that the topics that answer a topic have room: each answer goes to its record's partition number.

    Args:
        states: All topics.
        source: The topic that is answered.
        also: Which topics have to be there beside it and its answers; None: all.

    Raises:
        TopicMissing: A topic does not exist, or one that answers has fewer partitions than the source.
    """
    partitions = {state.name: state.partitions for state in states}
    wanted = partitions if also is None else {source, *ANSWERS[source], *also}
    if absent := [name for name, count in partitions.items() if not count and name in wanted]:
        raise TopicMissing(f"Missing topics: {', '.join(absent)}.", hint="Run `aisle topics create`.")
    for name in ANSWERS[source]:
        if partitions[name] < partitions[source]:
            raise TopicMissing(
                f"{name} has {partitions[name]} partitions and {source} has {partitions[source]}.",
                hint=f"Run `aisle topics grow --partitions {partitions[source]} {source}`.",
            )


def plan_growth(states: Iterable[TopicState], wanted: int, names: Sequence[str] = ()) -> list[Growth]:
    """The steps that give topics ``wanted`` partitions, each topic after those that answer it.

    Repeated after an interruption, the steps that were taken are found done.

    Args:
        states: All topics.
        wanted: Partitions that the topics shall have; topics that answer them may have more.
        names: The topics; none: all that may grow.

    Raises:
        TopicMissing: A topic does not exist.
        GrowthRefused: A topic has more partitions already, or must keep its number.
    """
    partitions = {state.name: state.partitions for state in states}
    steps: dict[str, Growth] = {}
    for name in names or ANSWERS:
        if reason := _NEVER_GROW.get(name):
            raise GrowthRefused(f"{name} keeps its number of partitions: {reason}.")
        for topic in (*ANSWERS.get(name, ()), name):
            if not partitions[topic]:
                raise TopicMissing(f"There is no topic {topic}.", hint="Run `aisle topics create`.")
            steps[topic] = Growth(topic, partitions[topic], max(wanted, partitions[topic]))
        if partitions[name] > wanted:
            raise GrowthRefused(
                f"{name} has {partitions[name]} partitions, which is more than {wanted}; no topic can shrink.",
                hint=f"Ask for at least {partitions[name]} with --partitions.",
            )
    return list(steps.values())


async def grow_topics(admin: AIOKafkaAdminClient, steps: Iterable[Growth]) -> None:
    """Take the steps of a plan in their order.

    Raises:
        GrowthRefused: The broker refused a step; the steps before it were taken.
    """
    for step in steps:
        if step.wanted == step.partitions:
            continue
        try:
            await admin.create_partitions({step.name: NewPartitions(step.wanted)}, timeout_ms=30_000)
        except KafkaError as error:
            raise GrowthRefused(
                f"{step.name} was not grown: {error}.", hint="Run the command again: it goes on where it ended."
            ) from error


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
