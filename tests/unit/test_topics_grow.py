"""`aisle topics grow`: which topics grow, in which order, and what is refused."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka.admin import NewPartitions
from aiokafka.errors import InvalidPartitionsError
from click.testing import CliRunner, Result

from infra.errors import GrowthRefused, TopicMissing
from infra.kafka import clients
from infra.kafka.topics import TopicState, check_in_step, plan_growth
from infra.settings import load_settings
from schemas.topics import FEEDBACK, FEEDBACK_DLQ, PREDICTIONS_OUT, PRODUCTS_DLQ, PRODUCTS_IN, TOPICS
from scripts.topics import command


class Broker:
    """A broker whose topics have 8 partitions; it can refuse to grow one."""

    def __init__(self) -> None:
        self.partitions = {spec.name: 8 for spec in TOPICS}
        self.grown: list[str] = []
        self.refuses: str | None = None

    async def list_topics(self) -> list[str]:
        """The topics that exist."""
        return list(self.partitions)

    async def describe_topics(self, names: list[str]) -> list[dict[str, Any]]:
        """Their partitions."""
        return [{"topic": name, "partitions": list(range(self.partitions[name]))} for name in names]

    async def create_partitions(self, wanted: dict[str, NewPartitions], **_: Any) -> None:
        """Grow, and check that nothing that answers is behind."""
        for name, new in wanted.items():
            if name == self.refuses:
                raise InvalidPartitionsError("not now")
            self.partitions[name] = new.total_count
            self.grown.append(name)
            for source in (PRODUCTS_IN, FEEDBACK):
                check_in_step(self.states(), source)

    def states(self) -> list[TopicState]:
        """All topics."""
        return [TopicState(name, "", count) for name, count in self.partitions.items()]


Grow = Callable[..., Result]


@pytest.fixture
def broker() -> Broker:
    """The broker that the command finds."""
    return Broker()


@pytest.fixture
def grow(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Grow]:
    """``aisle topics grow``, on that broker."""

    @asynccontextmanager
    async def connected(_bootstrap: str) -> AsyncIterator[Broker]:
        yield broker

    monkeypatch.setattr(clients, "admin_client", connected)
    monkeypatch.setenv("AISLE_KAFKA_BOOTSTRAP", "127.0.0.1:9")
    load_settings.cache_clear()
    yield lambda *arguments: CliRunner().invoke(command, ["grow", *arguments])
    load_settings.cache_clear()


def test_a_topic_grows_after_those_that_answer_it(broker: Broker, grow: Grow) -> None:
    """No record can come on a partition that its answer does not have; the compacted topics stay."""
    done = grow("--partitions", "12")
    assert done.exit_code == 0
    assert [PREDICTIONS_OUT, PRODUCTS_DLQ, PRODUCTS_IN, FEEDBACK_DLQ, FEEDBACK] == broker.grown
    assert {8} == {broker.partitions[name] for name in broker.partitions if name not in broker.grown}
    assert "order per key" in done.stderr


def test_an_interrupted_growth_goes_on_where_it_ended(broker: Broker, grow: Grow) -> None:
    """The broker's refusal is an error that names the topic; the same command again does only what is left."""
    broker.refuses = PRODUCTS_IN
    failed = grow("--partitions", "12", PRODUCTS_IN)
    assert isinstance(failed.exception, GrowthRefused)
    assert f"{PRODUCTS_IN} was not grown" in failed.exception.message
    assert [PREDICTIONS_OUT, PRODUCTS_DLQ] == broker.grown

    broker.refuses = None
    assert grow("--partitions", "12", PRODUCTS_IN).exit_code == 0
    assert [PREDICTIONS_OUT, PRODUCTS_DLQ, PRODUCTS_IN] == broker.grown
    again = grow("--partitions", "12", PRODUCTS_IN)
    assert again.exit_code == 0
    assert [PREDICTIONS_OUT, PRODUCTS_DLQ, PRODUCTS_IN] == broker.grown
    assert "order per key" not in again.stderr


def test_a_dry_run_tells_and_changes_nothing(broker: Broker, grow: Grow) -> None:
    """The figures are those of the real run; the number is the setting's where none is given."""
    broker.partitions[FEEDBACK] = broker.partitions[PREDICTIONS_OUT] = 4
    done = grow("--dry-run", "--json", FEEDBACK, PREDICTIONS_OUT)
    assert [
        {"name": FEEDBACK_DLQ, "before": 8, "partitions": 8},
        {"name": FEEDBACK, "before": 4, "partitions": 8},
        {"name": PREDICTIONS_OUT, "before": 4, "partitions": 8},
    ] == json.loads(done.stdout)
    assert broker.grown == []


def test_an_unknown_topic_is_wrong_usage(grow: Grow) -> None:
    """The names that there are are listed."""
    done = grow("products.inn")
    assert done.exit_code == 2
    assert "products.in" in done.stderr


def test_no_topic_shrinks() -> None:
    """The error has both figures; a topic that answers may have more."""
    states = [TopicState(spec.name, "", 8) for spec in TOPICS]
    with pytest.raises(GrowthRefused, match=r"products.in has 8 partitions, which is more than 6; no topic can shrink"):
        plan_growth(states, 6, [PRODUCTS_IN])
    wide = [TopicState(one.name, "", 20 if one.name == PREDICTIONS_OUT else 8) for one in states]
    assert {PREDICTIONS_OUT: 20, PRODUCTS_DLQ: 12, PRODUCTS_IN: 12} == {
        step.name: step.wanted for step in plan_growth(wide, 12, [PRODUCTS_IN])
    }


@pytest.mark.parametrize(("name", "why"), [("models.events", "one order"), ("verdicts", "keys would move")])
def test_compacted_topics_keep_their_partitions(name: str, why: str) -> None:
    """They are refused with the reason, before anything is grown."""
    states = [TopicState(spec.name, "", 8) for spec in TOPICS]
    with pytest.raises(GrowthRefused, match=f"{name} keeps its number of partitions: .*{why}"):
        plan_growth(states, 12, [PRODUCTS_IN, name])


def test_a_missing_topic_is_created_first() -> None:
    """The error names it and the command."""
    states = [TopicState(spec.name, "", 0 if spec.name == PRODUCTS_DLQ else 8) for spec in TOPICS]
    with pytest.raises(TopicMissing, match=r"no topic products\.dlq. Run `aisle topics create`"):
        plan_growth(states, 12, [PRODUCTS_IN])
