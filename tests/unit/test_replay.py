"""`aisle replay`: what is checked before a product is sent, and what is said when one cannot be."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import time
from typing import Any

import pytest
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from click.testing import CliRunner, Result

from infra.errors import DeliveryFailed, TopicMissing
from infra.settings import load_settings
from model.data.dataset import ProductRow
from schemas.limits import MAX_PRODUCT_RECORD_BYTES
from scripts.errors import ProductsRefused
from scripts.replay import command
from streams.replay.file import FileEvents, publish


class Broker:
    """A broker that has some topics and keeps what it is sent, or fails with an error."""

    def __init__(self, *topics: str, error: KafkaError | None = None, late: bool = False) -> None:
        self.topics = topics
        self.sent: list[bytes] = []
        self._error, self._late = error, late

    async def list_topics(self) -> list[str]:
        """The topics that exist."""
        return list(self.topics)

    async def send(self, _topic: str, value: bytes, **_: Any) -> "asyncio.Future[None]":
        """Take a record, or fail: at once or when it is delivered."""
        delivered = asyncio.get_running_loop().create_future()
        if self._error is None:
            self.sent.append(value)
            delivered.set_result(None)
        elif self._late:
            delivered.set_exception(self._error)
        else:
            raise self._error
        return delivered

    async def flush(self) -> None:
        """Nothing is held back."""


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Broker]:
    """The broker that commands find, with the topic of products."""
    broker = Broker("products.in")

    @asynccontextmanager
    async def connected(_bootstrap: str, **_: object) -> AsyncIterator[Broker]:
        yield broker

    monkeypatch.setattr("scripts.replay_run.admin_client", connected)
    monkeypatch.setattr("scripts.replay_run.producer_client", connected)
    monkeypatch.setenv("AISLE_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("AISLE_KAFKA_BOOTSTRAP", "nowhere.invalid:1")
    load_settings.cache_clear()
    yield broker
    load_settings.cache_clear()


def replay(path: Path, *titles: str, options: tuple[str, ...] = ()) -> Result:
    """Replay a file of products with these titles."""
    path.write_text("\n".join(json.dumps({"title": title}) for title in titles))
    return CliRunner().invoke(command, [str(path), *options])


def test_a_missing_topic_is_said_before_anything_is_sent(tmp_path: Path, broker: Broker) -> None:
    """Without `aisle topics create` there is no wait, and the error says what to run."""
    broker.topics = ("predictions.out",)

    error = replay(tmp_path / "a.jsonl", "soup").exception

    assert isinstance(error, TopicMissing)
    assert "products.in" in error.message
    assert "aisle topics create" in error.hint
    assert broker.sent == []


@pytest.mark.parametrize("late", [False, True])
async def test_what_the_broker_refuses_is_a_failed_delivery(late: bool) -> None:
    """An error of Kafka, at sending or at delivery, comes out as one of aisle."""
    broker = Broker(error=UnknownTopicOrPartitionError(), late=late)

    with pytest.raises(DeliveryFailed, match="UnknownTopicOrPartitionError"):
        await publish(broker, [ProductRow(2, "1", "soup", None)], FileEvents("urn:x"))


def test_a_row_that_is_no_text_is_passed_over(tmp_path: Path, broker: Broker) -> None:
    """A lone surrogate stops none of its neighbours, and its row is named."""
    result = replay(tmp_path / "a.jsonl", "soup", "\ud800", "tea")

    assert result.exit_code == 0
    assert [json.loads(value)["title"] for value in broker.sent] == ["soup", "tea"]
    assert "passed over: Row 2 of" in result.stderr


@pytest.mark.parametrize("options", [("--dry-run",), ()])
def test_a_product_too_large_for_a_record_is_refused(tmp_path: Path, broker: Broker, options: tuple[str, ...]) -> None:
    """A dry run counts what the real run sends and refuses, and ends with the same error."""
    largest = MAX_PRODUCT_RECORD_BYTES - len(FileEvents.value(ProductRow(1, "row-1", "", None)))
    result = replay(tmp_path / "a.jsonl", "x" * largest, "x" * (largest + 1), "tea", options=(*options, "--json"))

    counted = json.loads(result.stdout)
    assert (counted["events"], counted["refused"]) == (2, 1)
    assert len(broker.sent) == (0 if options else 2)
    assert isinstance(result.exception, ProductsRefused)
    assert result.exception.exit_status == 1


def test_what_kills_have_left_is_swept(tmp_path: Path, broker: Broker) -> None:
    """Checkpoints that were cut off in the middle, by the next replay; not what another one writes just now."""
    folder = tmp_path / "var" / "replays"
    folder.mkdir(parents=True)
    for name, age_s in (("left.tmp", 3_600), ("now.tmp", 0), ("another.json", 3_600)):
        (folder / name).write_text("{")
        os.utime(folder / name, times=(time() - age_s,) * 2)

    assert 0 == replay(tmp_path / "a.jsonl", "soup").exit_code

    assert 1 == len(broker.sent)
    assert {"now.tmp", "another.json"} < {path.name for path in folder.iterdir()}
    assert not (folder / "left.tmp").exists()
    assert 3 == len(list(folder.iterdir()))
