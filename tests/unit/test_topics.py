"""The topics: what the broker is told, and which must go in step."""

import pytest

from infra.errors import TopicMissing
from infra.kafka.topics import ANSWERS, TopicState, check_in_step
from schemas.limits import MIB
from schemas.topics import FEEDBACK, FEEDBACK_DLQ, MODELS_EVENTS, PREDICTIONS_OUT, PRODUCTS_DLQ, PRODUCTS_IN, TOPICS


def states(**partitions: int) -> list[TopicState]:
    """All topics with 8 partitions, but for those given (dots as underscores)."""
    wanted = {name.replace("_", "."): count for name, count in partitions.items()}
    return [TopicState(spec.name, spec.purpose, wanted.get(spec.name, 8)) for spec in TOPICS]


@pytest.mark.parametrize("source", ANSWERS)
def test_topics_in_step_are_fine(source: str) -> None:
    """As many partitions to answer as to ask, or more."""
    check_in_step(states(), source)
    check_in_step(states(predictions_out=9, products_dlq=12, feedback_dlq=9), source)


@pytest.mark.parametrize(
    ("answer", "source", "other"),
    [
        (PREDICTIONS_OUT, PRODUCTS_IN, FEEDBACK),
        (PRODUCTS_DLQ, PRODUCTS_IN, FEEDBACK),
        (FEEDBACK_DLQ, FEEDBACK, PRODUCTS_IN),
    ],
)
def test_an_answer_without_its_partition_is_said_before_anything_is_consumed(
    answer: str, source: str, other: str
) -> None:
    """Whoever answers the source may not start; whoever answers another topic may."""
    short = states(**{answer.replace(".", "_"): 7})
    with pytest.raises(TopicMissing, match=f"{answer} has 7 partitions and {source} has 8"):
        check_in_step(short, source)
    check_in_step(short, other)


def test_a_missing_topic_is_named() -> None:
    """The error names it and the command that makes it."""
    with pytest.raises(TopicMissing, match=r"models\.events\. Run `aisle topics create`"):
        check_in_step(states(models_events=0), PRODUCTS_IN)


def test_a_topic_that_a_worker_does_not_need_is_not_missed() -> None:
    """What it reads and what answers that are, and what it names."""
    check_in_step(states(shadow_out=0), PRODUCTS_IN, [MODELS_EVENTS])
    for name in ("models_events", "predictions_out", "products_in"):
        with pytest.raises(TopicMissing, match="Missing topics"):
            check_in_step(states(**{name: 0}), PRODUCTS_IN, [MODELS_EVENTS])


def test_the_broker_is_told_sizes_and_retention() -> None:
    """products.in takes 1 MiB and its envelope, dead letters twice that; decisions are compacted, on one partition."""
    config = {spec.name: spec.config() for spec in TOPICS}
    assert MIB < int(config[PRODUCTS_IN]["max.message.bytes"]) < 1.1 * MIB
    assert 2 * MIB < int(config[PRODUCTS_DLQ]["max.message.bytes"])
    assert config[PRODUCTS_DLQ]["retention.ms"] == str(30 * 24 * 3600 * 1000)
    assert config[MODELS_EVENTS]["cleanup.policy"] == "compact"
    assert next(spec.partitions for spec in TOPICS if spec.name == MODELS_EVENTS) == 1
