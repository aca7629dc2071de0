"""`aisle data forget` on a real store and broker: nothing is left, nothing comes back, and what is new is new."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import orjson
import pytest
from aiokafka.structs import ConsumerRecord
from pymongo import UpdateOne

from infra.forgotten import Forgotten
from infra.forgotten_items import ForgottenItems
from infra.kafka.clients import admin_client, batches, reader_client
from infra.kafka.topics import create_topics
from infra.settings import Settings
from infra.store import AUDIT, CLAIMS, DLQ_ACTIONS, FEEDBACK, FORGOTTEN, REPLAYS, SHADOW, Store
from schemas.content import content_key
from schemas.headers import EVENT_ID, REPLAY
from schemas.topics import FEEDBACK as FEEDBACK_TOPIC
from schemas.topics import PREDICTIONS_OUT, PRODUCTS_DLQ, SHADOW_OUT, VERDICTS
from scripts.forget_run import Forget
from streams.archive import ArchiveStage
from streams.dead_letters import dead_letter
from streams.errors import RecordInvalid
from streams.replay.event import Event
from streams.replay.forgotten import without_forgotten
from tests.integration.conftest import Services
from tests.integration.test_archive import archive, items, prediction, stage
from tests.records import record

pytestmark = pytest.mark.integration

LAMP = "lapis-4711"
TITLE = "a very secret lamp"
PHOTO, SHARED = "aGVsbG8=", "d29ybGQ="


def ms(seconds: float) -> int:
    """So many seconds from now, as Kafka gives times: a test runs long after this file was read."""
    return int(1_000 * (datetime.now(UTC).timestamp() + seconds))


def event(number: int) -> str:
    """An event id."""
    return f"00000000-0000-4000-8000-{number:012}"


def product(number: int, name: str = LAMP, at_ms: int | None = None, **fields: Any) -> "ConsumerRecord[bytes, bytes]":
    """A product that was published a minute ago."""
    headers = [(EVENT_ID, event(number).encode()), *fields.pop("headers", ())]
    value = {"product_id": name, "title": TITLE, **fields}
    return record(orjson.dumps(value), key=name.encode(), headers=headers, timestamp_ms=at_ms or ms(-60), offset=number)


def answer(number: int, name: str = LAMP, at: datetime | None = None) -> "ConsumerRecord[bytes, bytes]":
    """What a model says of it."""
    when = (at or datetime.now(UTC) - timedelta(seconds=50)).isoformat()
    return record(prediction(event(number), when, product_id=name), topic=PREDICTIONS_OUT)


def verdict(number: int, of: str | None = None, **fields: Any) -> "ConsumerRecord[bytes, bytes]":
    """What a person says of it."""
    said = {"feedback_id": f"f-{number}-{of}", "verdict": "corrected", "code": "b", "by": "ada", "event_id": of}
    return record(orjson.dumps(said | fields), topic=FEEDBACK_TOPIC, timestamp_ms=ms(-30))


def scored(number: int, name: str = LAMP) -> "ConsumerRecord[bytes, bytes]":
    """What a model in the shadow says of it."""
    fields = orjson.loads(prediction(event(number), "", product_id=name, model={"name": "m", "version": "2"}))
    fields["scored_at"] = (datetime.now(UTC) - timedelta(seconds=50)).isoformat()
    return record(orjson.dumps(fields), topic=SHADOW_OUT)


def unread(number: int) -> "ConsumerRecord[bytes, bytes]":
    """A dead letter that was never read as a product, and is about it."""
    broken = record(orjson.dumps({"product_id": LAMP, "title": 7, "note": TITLE}), timestamp_ms=ms(-60))
    letter = dead_letter(broken, event(number), "decode", RecordInvalid("no"))
    headers = [one for one in letter.headers if one[1] is not None]
    return record(broken.value, topic=PRODUCTS_DLQ, headers=headers, timestamp_ms=ms(-59))  # type: ignore[arg-type]


@pytest.fixture
async def settings(services: Services, store: Store, tmp_path: Path) -> Settings:
    """A data directory of this test's own, with that broker and that database."""
    async with admin_client(services.kafka_bootstrap) as admin:
        await create_topics(admin, services.settings)
    return Settings(
        data_dir=tmp_path,
        kafka_bootstrap=services.kafka_bootstrap,
        mongodb_uri=services.mongodb_uri,
        mongodb_database=store._database.name,
    )


@pytest.fixture
def archived(store: Store, tmp_path: Path) -> ArchiveStage:
    """An archive with that store."""
    return stage(store, tmp_path / "images")


async def fill(store: Store, archived: ArchiveStage) -> None:
    """Two events of the product, another one with the same photo and content, and all that follows from them."""
    shown: dict[str, Any] = {"description": "with words", "image": {"base64": SHARED}}
    await archive(
        archived,
        [
            *(product(1, image={"base64": PHOTO}), answer(1), product(2, **shown), answer(2)),
            *(product(3, "twin", **shown), answer(3, "twin"), unread(4)),
            *(verdict(1, event(1), note=TITLE), verdict(2, event(2)), verdict(3, None, product_id=LAMP)),
            verdict(4, event(3), code="c"),
        ],
    )
    kept = {"product_id": LAMP, "event_id": event(1), "title": TITLE}
    await store.upsert(SHADOW, [UpdateOne({"_id": f"{event(1)}/v"}, {"$set": kept}, upsert=True)])
    await store.upsert(REPLAYS, [UpdateOne({"_id": f"r/{event(1)}"}, {"$set": kept}, upsert=True)])
    await store.upsert(CLAIMS, [UpdateOne({"_id": event(1)}, {"$set": {"by": "ada"}}, upsert=True)])
    await store.upsert(DLQ_ACTIONS, [UpdateOne({"_id": "a"}, {"$set": {"event_id": event(4)}}, upsert=True)])


async def said_anywhere(store: Store) -> list[str]:
    """The collections that have the product's name, its title or one of its events' ids anywhere."""
    found = []
    for name in await store._database.list_collection_names():
        text = repr([one async for one in store.collection(name).find()])
        if name != AUDIT and any(one in text for one in (LAMP, event(1), event(2), event(4))):
            found.append(name)
    return found


async def decided(settings: Settings) -> dict[bytes, bytes | None]:
    """What the topic of verdicts says last of each content."""
    found: dict[bytes, bytes | None] = {}
    async with reader_client(settings.kafka_bootstrap or "", VERDICTS, from_start=True) as reader:
        ends = await reader.end_offsets(reader.assignment())
        async for some in batches(reader):
            found |= {one.key: one.value for one in some}
            if all([await reader.position(place) >= end for place, end in ends.items()]):
                return found
    return found


async def forget(settings: Settings, store: Store, *names: str) -> dict[str, int]:
    """Forget products; what there was of them."""
    return (await Forget(settings, store, names or (LAMP,)).run("ada", lambda _step, _part: None)).as_json()


async def test_nothing_is_left(settings: Settings, store: Store, archived: ArchiveStage, tmp_path: Path) -> None:
    """Of item, photo, verdicts, claims, replays; what another product has too stays, with what was said of that one."""
    await fill(store, archived)
    page = tmp_path / "replays" / "r" / "what-if.csv"
    page.parent.mkdir(parents=True)
    page.write_text(f"event_id,product_id\n{event(1)},{LAMP}\n", encoding="utf-8")

    counted = (await Forget(settings, store, (LAMP,)).find()).counts(1).as_json()
    done = await forget(settings, store)

    assert counted == done
    expected = {"events": 3, "verdicts": 3, "photos": 2, "shadow": 1, "replays": 1, "pages": 1, "training_sets": 0}
    assert expected.items() <= done.items()
    assert [] == await said_anywhere(store)
    assert {event(3)} == set(await items(store))
    assert [f"f-4-{event(3)}"] == [one["_id"] async for one in store.collection(FEEDBACK).find()]
    photos = [path for path in (tmp_path / "images").rglob("*") if path.is_file()]
    assert [b"world"] == [path.read_bytes() for path in photos]
    assert not page.exists()
    told = await decided(settings)
    alone = content_key(TITLE, None, "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
    assert told[alone.encode()] is None
    kept = content_key(TITLE, "with words", "sha256:486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7")
    assert "c" == orjson.loads(told[kept.encode()] or b"")["code"]
    (noted,) = [one async for one in store.collection(AUDIT).find()]
    assert ("ada", "product.forget", 3) == (noted["who"], noted["action"], noted["before"]["events"])
    assert LAMP not in repr([one async for one in store.collection(FORGOTTEN).find()])


async def test_it_does_not_come_back_and_what_is_new_does(
    settings: Settings, store: Store, archived: ArchiveStage, tmp_path: Path
) -> None:
    """Read again, replayed, retried, answered or judged late: not stored. Published anew under another id: stored."""
    await fill(store, archived)
    await forget(settings, store)
    again = [
        *(product(1, image={"base64": PHOTO}), answer(1), product(2), answer(2), unread(4), verdict(1, event(1))),
        verdict(3, None, product_id=LAMP),
        product(1, at_ms=ms(90), headers=[(REPLAY, b"r")]),  # a replay has the time at which it was sent
        answer(1, at=datetime.now(UTC) + timedelta(seconds=90)),
    ]
    late = [answer(9, at=datetime.now(UTC) + timedelta(seconds=90)), product(9), answer(9)]

    for archiver in (archived, stage(store, tmp_path / "images")):  # one that knows, and one that starts
        await archive(archiver, again)
        for one in late:  # an event that was under way, and is known to nobody when its answer comes
            await archive(archiver, [one])
    assert [] == await said_anywhere(store)
    assert {event(3)} == set(await items(store))
    assert 1 == len([path for path in (tmp_path / "images").rglob("*") if path.is_file()])

    soon = ms(120)
    await archive(archived, [product(10, at_ms=soon), answer(10, at=datetime.now(UTC) + timedelta(seconds=120))])
    assert {"product", "prediction", "product_id", "_id"} == set((await items(store))[event(10)])


@pytest.mark.contract
async def test_cut_off_it_is_done_again(
    settings: Settings, store: Store, archived: ArchiveStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it was killed, the same command ends in the same."""
    await fill(store, archived)
    delete = ForgottenItems._delete
    for survives in range(0, 8, 2):
        calls = AsyncMock(side_effect=[*[None] * survives, RuntimeError("killed")])

        async def cut(self: ForgottenItems, *arguments: Any, calls: AsyncMock = calls) -> None:
            await calls()
            await delete(self, *arguments)

        monkeypatch.setattr(ForgottenItems, "_delete", cut)
        with pytest.raises(RuntimeError, match="killed"):
            await forget(settings, store)
    monkeypatch.undo()

    await forget(settings, store)

    assert [] == await said_anywhere(store)
    assert {event(3)} == set(await items(store))
    assert 0 == (await forget(settings, store))["events"]


def in_hand() -> list[list["ConsumerRecord[bytes, bytes]"]]:
    """Batches in which something is of the product: all of it, or only what was said of an event that came before."""
    neighbours = [product(3, "twin"), scored(3, "twin")]
    said = [verdict(1, event(1), note=TITLE), verdict(3, None, product_id=LAMP, note=TITLE)]
    return [[product(1), answer(1), *neighbours], [*said, *neighbours], [scored(1), *neighbours]]


@pytest.mark.parametrize("number", range(3))
async def test_an_archive_in_the_middle_of_a_batch_takes_it_back(
    settings: Settings, store: Store, archived: ArchiveStage, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """What it writes after the store was cleared, as it asked before, is gone when it is done with the batch."""
    await archive(archived, [product(1), answer(1)])
    batch = in_hand()[number]
    write, times = archived._write, AsyncMock()

    async def overtaken(results: Any) -> None:
        if not times.await_count:
            await forget(settings, store)
        await times()
        await write(results)

    monkeypatch.setattr(archived, "_write", overtaken)
    await archive(archived, batch)

    assert 2 == times.await_count
    assert {event(3)} == set(await items(store))
    assert [] == await said_anywhere(store)
    assert [f"{event(3)}/2"] == [one["_id"] async for one in store.collection(SHADOW).find()]


async def test_a_replay_passes_it_over(settings: Settings, store: Store, archived: ArchiveStage) -> None:
    """Events that were erased, events of before, rows of files; verdicts on them; not what came after."""
    await fill(store, archived)
    await forget(settings, store)

    def sent(name: str, number: int, at_ms: int | None, value: bytes) -> Event:
        return Event(event(number), name.encode(), value, (), "x", "0", number, at_ms)

    async def chosen() -> Any:
        body = orjson.dumps({"product_id": LAMP})
        yield sent("other", 1, ms(90), b"?")
        yield sent(LAMP, 20, ms(-90), b"?")
        yield sent("", 21, None, body)
        yield sent("", 22, ms(0), orjson.dumps({"event_id": event(2)}))
        yield sent(LAMP, 23, ms(90), body)
        yield sent("twin", 3, ms(-60), orjson.dumps({"productid": "twin"}))

    passed: Counter[str] = Counter()
    found = [one.event_id async for one in without_forgotten(chosen(), Forgotten(store), passed)]

    assert [event(23), event(3)] == found
    assert {"forgotten by request": 4} == dict(passed)
