"""Backup, destroy, restore into an empty system: the same counts, hashes and champion, and predictions go on."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from infra.backup.documents import collections_of, digest_of
from infra.backup.manifest import Collected, read_manifest
from infra.backup.topics import _commit, go_back, positions_of
from infra.images import ImageStore
from infra.kafka.clients import admin_client
from infra.kafka.topics import create_topics
from infra.local.services import LocalServices
from infra.model_events import decide, read_standing
from infra.process import module
from infra.settings import Settings
from infra.store import AUDIT, ITEMS, Store
from infra.store_schema import prepare
from model.champion import keep, promotion
from schemas.topics import PREDICTIONS_OUT, PRODUCTS_IN
from streams.archive import ArchiveStage
from tests.integration.conftest import local_settings
from tests.integration.road import Road, answers, environment, eventually, good, send
from tests.integration.test_archive import archive, stage
from tests.records import record

pytestmark = [pytest.mark.integration, pytest.mark.contract, pytest.mark.timeout(400)]


PLACE = TopicPartition(PRODUCTS_IN, 0)


@contextmanager
def system(settings: Settings) -> Iterator[tuple[str, Store]]:
    """Broker and store of a data directory, and what asks them."""
    with LocalServices(settings) as local:
        places = local.status()
        with closing(Store(places["docstore"].address, settings.mongodb_database)) as store:
            yield places["kafka"].address, store


@contextmanager
def classifying(settings: Settings, log: Path) -> Iterator[None]:
    """A classify worker, as long as the context lasts."""
    with log.open("w") as out:
        worker = subprocess.Popen(
            module("scripts", "worker", "classify"), env=environment(settings), stdout=out, stderr=out
        )
        try:
            yield
        finally:
            worker.terminate()
            worker.wait(60)


async def hashes(store: Store) -> dict[str, Collected]:
    """Counts and hashes of what collections there are."""
    return {name: one for name in await collections_of(store) if (one := await digest_of(store, name)).documents}


async def test_a_system_that_was_destroyed_is_as_it_was(bundle: Path, tmp_path: Path) -> None:
    """By the commands, with another broker and another store; a product that comes then has its answer."""
    first, second = local_settings(tmp_path / "first"), local_settings(tmp_path / "second")
    backup, models = tmp_path / "backup", first.data_dir / "models"
    shutil.copytree(bundle, models / bundle.name)
    with system(first) as (bootstrap, store):
        async with admin_client(bootstrap) as admin:
            await create_topics(admin, first)
        await prepare(store)
        standing = await decide(bootstrap, lambda _: promotion(models / bundle.name, None, by="ada", why="a test"))
        assert standing.champion is not None
        keep(models, standing.champion)
        archived: ArchiveStage = stage(store, first.data_dir / "images")
        body = json.dumps({"product_id": "p", "title": "t", "image": {"base64": "aGVsbG8="}}).encode()
        await archive(archived, [record(body, offset=number) for number in range(50)])
        await _commit(bootstrap, {PLACE: OffsetAndMetadata(5, "")})
        before = await hashes(store)
        taken = await asyncio.to_thread(Road(first, tmp_path / "unused").aisle, "backup", str(backup), "--json")
        assert taken.returncode == 0, taken.stderr
        await _commit(bootstrap, {PLACE: OffsetAndMetadata(9, "")})
        assert 1 == await go_back(bootstrap, read_manifest(backup).positions), "what came since is archived again"
        assert [(PLACE.topic, 5)] == [(one.topic, one.offset) for one in await positions_of(bootstrap)]
    shutil.rmtree(first.data_dir)

    with system(second) as (bootstrap, store):
        done = await asyncio.to_thread(Road(second, tmp_path / "unused").aisle, "restore", str(backup), "--json")
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert (bundle.name, {"broker": "ok", "store": "ok", "model": "ok"}) == (told["champion"], told["checks"])
        after = await hashes(store)
        assert 1 == after.pop(AUDIT).documents, "the restore itself"
        assert (before, 0) == (after, told["read_again"])
        assert 50 == await store.collection(ITEMS).count_documents({})
        (digest,) = {one["product"]["image"]["sha256"] async for one in store.collection(ITEMS).find()}
        assert b"hello" == ImageStore(second.data_dir / "images").path(digest).read_bytes()
        assert standing.champion == (await read_standing(bootstrap)).champion

        sent = good(1)
        with classifying(second, tmp_path / "classify.log"):
            await send(bootstrap, PRODUCTS_IN, [sent])

            async def answered() -> bool:
                return bool(await answers(bootstrap, PREDICTIONS_OUT, [sent.event_id]))

            await eventually(answered, 180)
