"""What else a restore puts back: what topics say, who is the champion; and what stays forgotten."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka.admin import NewTopic

from infra import model_events
from infra.backup import put_back, topics
from infra.backup import take as taking
from infra.backup.documents import load
from infra.backup.manifest import read_manifest
from infra.backup.put_back import Restore
from infra.backup.take import take
from infra.errors import BrokerUnavailable, NotEmpty
from infra.forgotten import Forgotten
from infra.kafka.clients import admin_client
from infra.migrations import SCHEMA
from infra.model_events import read_standing, tell
from infra.settings import Settings
from infra.store import AUDIT, FEEDBACK, FORGOTTEN, ITEMS, MIGRATIONS, REPLAYS, SHADOW, Store
from schemas.model_event import ModelEvent
from schemas.prediction import ModelRef
from schemas.topics import VERDICTS
from scripts.forget_again import forget_again
from tests.integration.conftest import Services
from tests.integration.test_backup import NOON, bootstrap, data_dir, empty, full, silent
from workers.gateway.audit import Audit, AuditChoice

pytestmark = pytest.mark.integration

__all__ = ["bootstrap", "data_dir", "empty", "full"]

CHAMPION = ModelEvent(
    model=ModelRef(name="m", version="1"),
    bundle_uri="file:///nowhere",
    sha256="0",
    taxonomy_sha256="0",
    sequence=1,
    by="ada",
    why="a test",
    at=NOON,
)


@pytest.fixture
async def told(services: Services, monkeypatch: pytest.MonkeyPatch) -> str:
    """A topic in the place of `verdicts`, and another in that of `models.events`: nobody else writes to them."""
    models, own = f"models-{uuid4().hex}", f"verdicts-{uuid4().hex}"
    compacted = {"cleanup.policy": "compact"}
    async with admin_client(services.kafka_bootstrap) as admin:
        await admin.create_topics([NewTopic(name, 1, 1, topic_configs=compacted) for name in (models, own)])
    for module in (model_events, put_back):
        monkeypatch.setattr(module, "MODELS_EVENTS", models)
    for module in (taking, put_back):
        monkeypatch.setattr(module, "COMPACTED", (models, own))
    return own


async def test_what_was_forgotten_since_stays_forgotten(
    full: Store, bootstrap: str, data_dir: Path, tmp_path: Path
) -> None:
    """A backup from before an erasure, put in the place of a system that knows of it, does not bring it back."""
    target, key = tmp_path / "backup", uuid4().hex
    of_no_item = {"event_id": "of a file", "product_id": "p1", "score": {"scored_at": NOON}}
    for name in (REPLAYS, SHADOW):
        await full.collection(name).insert_one({"_id": "gone", **of_no_item})
        await full.collection(name).insert_one({"_id": "stays", **of_no_item, "product_id": "p2"})
    await full.collection(FEEDBACK).update_one({"_id": "f1"}, {"$set": {"content": key}})
    await full.collection(FEEDBACK).insert_one({"_id": "f2", "event_id": "erased", "at": NOON, "by": "ada"})
    await take(full, bootstrap, data_dir, target, silent, secrets=False)
    await Forgotten(full).add_products(["p1"], datetime.now(UTC))
    await Forgotten(full).add_events(["erased"])
    await topics.publish_records(bootstrap, VERDICTS, [(key.encode(), b"{}")])

    settings = Settings(data_dir=data_dir, kafka_bootstrap=bootstrap)
    restore = Restore(full, bootstrap, data_dir, target, silent)
    done = await restore.run("ada", force=True, finish=lambda: forget_again(settings, full))

    assert 1 == done.forgotten
    assert await full.collection(ITEMS).find_one({"product_id": "p1"}) is None
    assert 599 == await full.collection(ITEMS).count_documents({})
    assert 0 == await full.collection(FEEDBACK).count_documents({})
    for name in (REPLAYS, SHADOW):
        assert ["stays"] == [one["_id"] async for one in full.collection(name).find()]
    assert key.encode() not in await topics.last_records(bootstrap, VERDICTS), "no category stands by it any more"
    assert SCHEMA in [one["_id"] async for one in full.collection(MIGRATIONS).find()]
    assert await asyncio.to_thread((data_dir / "images" / "deep" / "file").exists)


async def test_the_audit_log_is_only_added_to(full: Store, bootstrap: str, data_dir: Path, tmp_path: Path) -> None:
    """What was noted since the backup stays, such as who had something forgotten; what the backup has comes back."""
    target, log = tmp_path / "backup", Audit(full)
    await log.note("ada", "item.delete", "first", before={"a.b": [1, None]})
    await log.note("ada", "item.delete", "lost")
    await take(full, bootstrap, data_dir, target, silent, secrets=False)
    await full.collection(AUDIT).delete_one({"subject": "lost"})
    await log.note("eve", "product.forget", "since")

    restore = Restore(full, bootstrap, data_dir, target, silent)
    await restore.run("ada", force=True, begin=lambda: log.note("ada", "backup.restore", "backup"))

    noted = (await log.read(AuditChoice(), 10)).items
    assert ["backup", "since", "lost", "first"] == [one.subject for one in noted]
    assert {"a.b": [1, None]} == noted[-1].before


async def test_a_restore_is_under_way_until_what_was_forgotten_is_gone(
    full: Store, bootstrap: str, data_dir: Path, tmp_path: Path
) -> None:
    """Cut off before that, the same command goes on, without --force, and erases it."""
    target = tmp_path / "backup"
    await take(full, bootstrap, data_dir, target, silent, secrets=False)
    await Forgotten(full).add_products(["p1"], datetime.now(UTC))
    restore = Restore(full, bootstrap, data_dir, target, silent)

    async def killed() -> int:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        await restore.run("ada", force=True, finish=killed)
    settings = Settings(data_dir=data_dir, kafka_bootstrap=bootstrap)
    done = await restore.run("ada", finish=lambda: forget_again(settings, full))

    assert 1 == done.forgotten
    assert await full.collection(ITEMS).find_one({"product_id": "p1"}) is None
    with pytest.raises(NotEmpty):
        await restore.run("ada")


async def test_no_request_is_lost_where_a_restore_is_cut_off(
    full: Store, bootstrap: str, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right behind what the backup knows as forgotten: the later of two requests counts, and none is missing."""
    target = tmp_path / "backup"
    await Forgotten(full).add_products(["p1", "p2"], NOON)
    await take(full, bootstrap, data_dir, target, silent, secrets=False)
    await Forgotten(full).add_products(["p1", "p3"], NOON + timedelta(days=1))

    async def killed(store: Store, name: str, *rest: Any) -> None:
        await load(store, name, *rest)
        if name == FORGOTTEN:
            raise RuntimeError("killed")

    monkeypatch.setattr(put_back, "load", killed)
    with pytest.raises(RuntimeError, match="killed"):
        await Restore(full, bootstrap, data_dir, target, silent).run("ada", force=True)
    known = Forgotten(full)
    await known.refresh()
    assert known.knows_product("p1", NOON + timedelta(days=1))
    assert known.knows_product("p2", NOON)
    assert known.knows_product("p3", NOON)


async def test_topics_that_were_told_in_part_are_told_the_rest(
    full: Store, bootstrap: str, told: str, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker that goes away in the middle loses no decision: the same command publishes what lacks."""
    target, decided = tmp_path / "backup", {b"content-%d" % number: b"{}" for number in range(3)}
    await topics.publish_records(bootstrap, told, decided.items())
    await take(full, bootstrap, data_dir, target, silent, secrets=False)
    await topics.publish_records(bootstrap, told, dict.fromkeys(decided).items())
    restore = Restore(full, bootstrap, data_dir, target, silent)

    async def cut_off(bootstrap: str, topic: str, records: Any) -> int:
        if some := list(records)[:1]:
            await topics.publish_records(bootstrap, topic, some)
            raise BrokerUnavailable("away")
        return 0

    with monkeypatch.context() as patch:
        patch.setattr(put_back, "publish_records", cut_off)
        for force in (True, False):
            with pytest.raises(BrokerUnavailable):
                await restore.run("ada", force=force)
    assert 2 == len(await topics.last_records(bootstrap, told))
    await restore.run("ada")

    assert decided == await topics.last_records(bootstrap, told)


async def test_what_is_in_service_is_what_was(
    full: Store, bootstrap: str, told: str, data_dir: Path, tmp_path: Path
) -> None:
    """No model where there was none; the one of then where none is by now, though the topic is not empty."""
    before, after = tmp_path / "before", tmp_path / "after"
    await take(full, bootstrap, data_dir, before, silent, secrets=False)
    await tell(bootstrap, CHAMPION)
    await tell(bootstrap, CHAMPION.model_copy(update={"alias": "challenger"}))
    await take(full, bootstrap, data_dir, after, silent, secrets=False)

    done = await Restore(full, bootstrap, data_dir, before, silent).run("ada", force=True)
    assert (None, None) == (done.champion, (await read_standing(bootstrap)).champion)
    again = await Restore(full, bootstrap, data_dir, after, silent).run("ada", force=True)
    assert ("1", CHAMPION) == (again.champion, (await read_standing(bootstrap)).champion)
    assert read_manifest(before).topics[told] == 0
