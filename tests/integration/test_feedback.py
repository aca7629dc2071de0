"""Feedback on a real store and broker: any order, any number of times, told to readers and to workers."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from click.testing import Result

from infra.errors import DeliveryFailed
from infra.feedback_log import FeedbackLog
from infra.images import ImageStore
from infra.kafka.producer import OutRecord
from infra.settings import Settings
from infra.store import FEEDBACK as SAID
from infra.store import ITEMS, Store
from model.shelves import TaxonomyInForce
from schemas.content import content_key
from schemas.headers import EVENT_ID
from schemas.prediction import Prediction
from schemas.topics import FEEDBACK, FEEDBACK_DLQ, PREDICTIONS_OUT, PRODUCTS_DLQ, VERDICTS
from schemas.verdict import ContentVerdict
from scripts.feedback import command
from streams.archive import ArchiveStage
from streams.dead_letters import dead_letter
from streams.errors import RecordInvalid
from tests.chaos.verify import read
from tests.integration.road import Raw, Road, good, send, wait
from tests.records import record

pytestmark = [pytest.mark.integration, pytest.mark.timeout(500)]

T0 = 1_760_000_000_000


class Topics:
    """What was delivered, in order, in place of a broker."""

    def __init__(self) -> None:
        self.records: dict[str, list[OutRecord]] = {}
        self.before: Callable[[str], Awaitable[None]] | None = None

    async def partition_of(self, _topic: str, _key: bytes) -> int:
        """Always the first."""
        return 0

    async def deliver(self, topic: str, records: Iterable[OutRecord]) -> None:
        """Take records, after what was to happen before."""
        before, self.before = self.before, None
        if before is not None:
            await before(topic)
        self.records.setdefault(topic, []).extend(records)

    def decided(self) -> dict[str, str | None]:
        """The code that stands for each content that was told."""
        return {
            (one.key or b"").decode(): None if one.value is None else ContentVerdict.model_validate_json(one.value).code
            for one in self.records.get(VERDICTS, ())
        }

    def answers(self) -> dict[str, Prediction]:
        """The last answer that a reader has for each event."""
        told = [Prediction.model_validate_json(one.value or b"") for one in self.records.get(PREDICTIONS_OUT, ())]
        return {one.event_id: one for one in told}


@pytest.fixture
def topics() -> Topics:
    """What the archive publishes."""
    return Topics()


@pytest.fixture
def stage(store: Store, topics: Topics, tmp_path: Path) -> ArchiveStage:
    """An archive stage that knows three categories."""
    return stage_of(store, topics, tmp_path)


def stage_of(store: Store, topics: Topics, folder: Path) -> ArchiveStage:
    """An archive stage."""
    path = folder / "taxonomy.csv"
    path.write_text("code,label\nsoups,Soups\nteas,Teas\njams,Jams\n", encoding="utf-8")
    taxonomy = TaxonomyInForce(Settings(taxonomy=path, data_dir=folder))
    producer: Any = topics
    return ArchiveStage(store, ImageStore(folder / "images"), producer, 0.5, taxonomy)


async def archive(stage: ArchiveStage, *records: Any) -> None:
    """Steps 2 to 4 on one batch."""
    await stage.deliver(await stage.work(stage.decode(records)))


def event(number: int) -> str:
    """An event id."""
    return str(UUID(int=number))


def product(number: int, title: str | None = None) -> Any:
    """A product of that number, with a title of its own if it has no other."""
    value = {"product_id": f"p{number}", "title": title or f"product {number}"}
    return record(orjson.dumps(value), headers=[(EVENT_ID, event(number).encode())], timestamp_ms=T0, partition=5)


def predicted(number: int, code: str = "soups", **fields: Any) -> Any:
    """The model's answer, from some seconds after the product."""
    category = {"code": code, "label": code.capitalize()}
    answer = {
        "event_id": event(number),
        "product_id": f"p{number}",
        "category": category,
        "confidence": 0.4,
        "top": [category | {"probability": 0.4}],
        "needs_review": False,
        "decided_by": "text",
        "modalities": ["title"],
        "model": {"name": "m", "version": "1"},
        "classified_at": datetime.fromtimestamp(T0 / 1000 + 5, UTC).isoformat(),
    }
    return record(orjson.dumps(answer | fields), topic=PREDICTIONS_OUT, partition=5)


def said(number: int, verdict: str, at: int, by: str = "ada", **fields: Any) -> Any:
    """What somebody said, ``at`` minutes after T0."""
    value = {"feedback_id": f"{number}-{at}", "event_id": event(number), "verdict": verdict, "by": by} | fields
    return record(orjson.dumps(value), topic=FEEDBACK, timestamp_ms=T0 + at * 60_000)


def told_again(topics: Topics) -> list[Any]:
    """What the archive published to predictions.out, as it reads it back."""
    return [
        record(one.value, topic=PREDICTIONS_OUT, partition=one.partition, key=one.key)
        for one in topics.records.get(PREDICTIONS_OUT, ())
    ]


async def items(store: Store) -> dict[str, dict[str, Any]]:
    """All items."""
    return {item["_id"]: item async for item in store.collection(ITEMS).find()}


HISTORIES = {
    "withdrawn in between": (
        [("corrected", 1, "ada", "teas"), ("withdrawn", 2, "ada", None), ("corrected", 3, "bob", "jams")],
        "jams",
    ),
    "withdrawn at last": (
        [("corrected", 1, "ada", "teas"), ("corrected", 2, "bob", "jams"), ("withdrawn", 3, "bob", None)],
        None,
    ),
    "confirmed at last": (
        [("corrected", 1, "ada", "teas"), ("rejected", 2, "bob", None), ("validated", 3, "eve", None)],
        "soups",
    ),
}


@pytest.mark.parametrize(("history", "every"), [*zip(HISTORIES, (1, 11, 7), strict=True)])
async def test_all_orders_end_in_the_same_item_and_the_same_word(
    store: Store, stage: ArchiveStage, topics: Topics, history: str, every: int
) -> None:
    """Product, prediction, three verdicts: all 120 orders, each record twice, what was told read back in between.

    Of the second and third history some orders, as the store takes a millisecond for each write.
    """
    verdicts, stands = HISTORIES[history]
    orders = list(itertools.permutations(range(5)))[::every]

    def records(number: int) -> list[Any]:
        words = [
            said(number, what, at, by, **({} if code is None else {"code": code})) for what, at, by, code in verdicts
        ]
        return [product(number), predicted(number), *words]

    for place in range(5):
        await archive(stage, *(records(number)[order[place]] for number, order in enumerate(orders)))
        again = (records(number)[order[place // 2]] for number, order in enumerate(orders))
        await archive(stage, *again, *told_again(topics))
    before = len(topics.records[PREDICTIONS_OUT])
    some = itertools.chain.from_iterable(map(records, range(10)))
    await archive(stage, *told_again(topics), *some)

    assert before == len(topics.records[PREDICTIONS_OUT]), "what was told is not told again"
    found = await items(store)
    assert {event(number) for number in range(len(orders))} == set(found)
    for number in range(len(orders)):
        item = found[event(number)]
        assert ("p" + str(number), f"{number}-3") == (item["product_id"], item["verdict"]["feedback_id"])
        assert ("soups", "text", 5) == (
            item["prediction"]["category"]["code"],
            item["prediction"]["decided_by"],
            item["prediction"]["partition"],
        )
        assert stands == topics.decided()[content_key(f"product {number}", None, None)]
        answer = topics.answers()[event(number)]
        assert (stands or "soups", "reviewer", f"{number}-3") == (
            answer.category.code,
            answer.decided_by,
            answer.feedback_id,
        )
        assert (1.0 if stands else 0.4) == answer.confidence
    assert {5} == {one.partition for one in topics.records[PREDICTIONS_OUT]}
    assert 3 * len(orders) == await store.collection(SAID).count_documents({"parked": False}), "all are kept"


async def test_of_all_events_with_one_content_the_latest_verdict_counts(stage: ArchiveStage, topics: Topics) -> None:
    """In any order of arrival; a withdrawal gives the word back to the one before."""
    content = content_key("same", None, None)
    for number in (1, 2):
        await archive(stage, product(number, "same"), predicted(number))
    await archive(stage, said(2, "corrected", 7, code="jams"))
    await archive(stage, said(1, "corrected", 5, "bob", code="teas"))
    assert "jams" == topics.decided()[content]

    await archive(stage, said(2, "withdrawn", 8))
    assert "teas" == topics.decided()[content]
    await archive(stage, said(2, "rejected", 9))
    assert None is topics.decided()[content]
    assert ["a reviewer rejected this category and named no other"] == topics.answers()[event(2)].notes
    assert topics.answers()[event(2)].needs_review
    assert "teas" == topics.answers()[event(1)].category.code


async def test_of_two_archives_at_once_the_last_word_is_the_one_that_stands(
    store: Store, stage: ArchiveStage, topics: Topics, tmp_path: Path
) -> None:
    """One is about to tell what the other has just made old: it sees so afterwards, and tells again."""
    other = stage_of(store, topics, tmp_path)
    await archive(stage, product(1, "same"), predicted(1), product(2, "same"), predicted(2))

    async def meanwhile(_topic: str) -> None:
        await archive(other, said(2, "corrected", 7, "bob", code="jams"))

    topics.before = meanwhile
    await archive(stage, said(1, "corrected", 5, code="teas"))

    codes = [orjson.loads(one.value or b"")["code"] for one in topics.records[VERDICTS]]
    assert ["jams", "teas", "jams"] == codes


async def test_what_was_not_told_before_a_crash_is_told_after_it(
    store: Store, stage: ArchiveStage, topics: Topics, tmp_path: Path
) -> None:
    """The brokers go away between store and topics; the batch comes again, and a third time changes nothing."""
    batch = [product(1), predicted(1), said(1, "corrected", 5, code="teas")]

    async def away(_topic: str) -> None:
        raise DeliveryFailed("as planned")

    topics.before = away
    with pytest.raises(DeliveryFailed):
        await archive(stage, *batch)
    assert "corrected" == (await items(store))[event(1)]["verdict"]["verdict"]

    again = stage_of(store, topics, tmp_path)
    await archive(again, *batch)
    assert ["teas"] == list(topics.decided().values())
    counts = {topic: len(records) for topic, records in topics.records.items()}
    await archive(again, *batch)
    assert counts == {topic: len(records) for topic, records in topics.records.items()}


async def test_a_verdict_on_an_unknown_event_waits_for_it(store: Store, stage: ArchiveStage, topics: Topics) -> None:
    """It is kept; once product and answer are there, all follows from it. An answer may be a dead letter."""
    await archive(stage, said(1, "corrected", 5, code="teas"), said(2, "corrected", 5, code="jams"))
    await archive(stage, product(1))
    assert {} == topics.records
    assert 2 == await store.collection(SAID).count_documents({"parked": True})

    await archive(stage, predicted(1))
    assert ["teas"] == list(topics.decided().values())

    own = product(2)
    letter = dead_letter(own, event(2), "infer", RecordInvalid("no"))
    await archive(stage, own, record(own.value, topic=PRODUCTS_DLQ, headers=letter.headers))  # type: ignore[arg-type]
    assert {"teas", "jams"} == set(topics.decided().values())
    answer = topics.answers()[event(2)]
    assert ("Jams", "none", 5) == (
        answer.category.label,
        answer.model.name,
        topics.records[PREDICTIONS_OUT][-1].partition,
    )
    await archive(stage, *told_again(topics))
    assert "prediction" not in (await items(store))[event(2)], "a dead letter stays open for a retry"


async def test_a_verdict_on_a_product_is_told_like_one_on_its_event(stage: ArchiveStage, topics: Topics) -> None:
    """It means the newest item at that time, and follows it."""
    await archive(stage, product(1), predicted(1))
    await archive(stage, said(1, "corrected", 5, code="teas", event_id=None, product_id="p1"))
    assert "teas" == topics.answers()[event(1)].category.code
    assert ["teas"] == list(topics.decided().values())


async def test_a_code_outside_the_taxonomy_is_refused(store: Store, stage: ArchiveStage, topics: Topics) -> None:
    """It goes to feedback.dlq with its reason, and leaves item, log and workers alone."""
    await archive(stage, product(1), predicted(1), said(1, "corrected", 5, code="soap"))

    (letter,) = topics.records.pop(FEEDBACK_DLQ)
    headers = {name: (value or b"").decode() for name, value in letter.headers}
    assert ("code-unknown", "'soap' is none of the 3 codes of the taxonomy.") == (
        headers["aisle.errors.error_class"],
        headers["aisle.errors.message"],
    )
    assert {} == topics.records
    assert "verdict" not in (await items(store))[event(1)]
    assert 0 == await store.collection(SAID).count_documents({})


async def test_people_at_odds_are_listed(store: Store, stage: ArchiveStage) -> None:
    """Of one event or one content, with who stands; those who agree, came round, or withdrew are not listed."""
    for number in range(6):
        await archive(stage, product(number, "same" if number < 2 else None), predicted(number))
    await archive(
        stage,
        said(0, "corrected", 1, code="teas"),  # the same content as 1
        said(1, "corrected", 2, "bob", code="jams"),
        said(2, "corrected", 1, code="teas"),  # agree in other words
        said(2, "corrected", 2, "bob", code="teas"),
        said(3, "validated", 1),
        said(3, "corrected", 2, "bob", code="soups"),
        said(4, "corrected", 1, code="teas"),  # changed her mind
        said(4, "corrected", 2, "bob", code="jams"),
        said(4, "corrected", 3, code="jams"),
        said(5, "validated", 1),
        said(5, "rejected", 2, "bob"),
        said(9, "corrected", 1, code="teas"),  # of an event that is not there
        said(9, "corrected", 2, "bob", code="jams"),
    )
    found = {conflict.item.event_id: conflict async for conflict in FeedbackLog(store).conflicts()}

    assert {event(1), event(5), event(9)} == set(found)
    assert [("ada", "teas", False), ("bob", "jams", True)] == [
        (opinion.by, opinion.code, opinion.stands) for opinion in found[event(1)].opinions
    ]
    await archive(stage, said(1, "withdrawn", 8, "eve"))
    assert {event(5), event(9)} == {conflict.item.event_id async for conflict in FeedbackLog(store).conflicts()}


@pytest.fixture
def aisle(on_the_road: Callable[..., Result]) -> Callable[..., Result]:
    """Runs `aisle feedback`."""
    return partial(on_the_road, command)


def test_the_same_content_keeps_the_persons_category(road: Road, aisle: Callable[..., Result], tmp_path: Path) -> None:
    """From `aisle feedback give` on, every worker answers so, readers are told, and a withdrawal ends it."""
    title = f"Soupe de légumes {uuid4()}"
    first = good(1, title=title)

    def publish(*some: Raw) -> None:
        asyncio.run(send(road.kafka, "products.in", some))

    def answered(some: Iterable[Raw]) -> list[dict[str, Any]]:
        found = road.items(one.event_id for one in some)
        return [item["prediction"] for item in found.values() if "prediction" in item]

    def repeated() -> set[tuple[str, str]]:
        copies = [good(number, title=title) for number in range(32)]  # enough to reach every partition
        publish(*copies)
        wait(lambda: len(answered(copies)) == len(copies), 30)
        return {(one["category"]["code"], one["decided_by"]) for one in answered(copies)}

    publish(first)
    wait(lambda: answered([first]), 30)
    assert "soupes" == answered([first])[0]["category"]["code"]
    given = aisle("give", first.event_id, "biscuits", "--by", "ada", "--note", "no soup", "--json")
    assert 0 == given.exit_code, given.output
    assert "corrected" == orjson.loads(given.stdout)["verdict"]
    wait(lambda: {("biscuits", "reviewer")} == repeated(), 30)
    told = [one for one in asyncio.run(read(road.kafka, "predictions.out")) if one[2] == first.event_id]
    assert 2 == len(told)
    assert 1 == len({partition for partition, *_ in told})

    rows = tmp_path / "verdicts.csv"
    rows.write_text(f"event_id,code,by\n{first.event_id},soupes,bob\n", encoding="utf-8")
    for _ in range(2):
        assert 0 == aisle("import", str(rows)).exit_code
    wait(lambda: "soupes" == road.items([first.event_id])[first.event_id]["verdict"].get("code"), 30)
    listed = orjson.loads(aisle("conflicts", "--json", "--limit", "1000").stdout)
    (conflict,) = [one for one in listed if one["event_id"] == first.event_id]
    assert [("ada", False), ("bob", True)] == [(one["by"], one["stands"]) for one in conflict["opinions"]]

    assert 0 == aisle("give", first.event_id[:23], "--withdraw").exit_code
    wait(lambda: {"text"} == {decided_by for _, decided_by in repeated()}, 30)
