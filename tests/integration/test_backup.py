"""`aisle backup` and `aisle restore` on a real store and broker: the same afterwards, or nothing was touched."""

import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from bson import Binary, Int64

from infra.backup.documents import collections_of, digest_of
from infra.backup.folders import FOLDERS
from infra.backup.manifest import Collected, read_manifest, sha256_of
from infra.backup.put_back import Restore
from infra.backup.take import take
from infra.errors import BackupInvalid, NotEmpty, RestoreFailed, StoreTooNew
from infra.kafka.clients import admin_client
from infra.kafka.topics import create_topics
from infra.store import AUDIT, FEEDBACK, ITEMS, LEASES, Store
from tests.integration.conftest import Services

pytestmark = pytest.mark.integration

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def silent(_step: str, _part: float) -> None:
    """Nobody is told."""


@pytest.fixture
async def bootstrap(services: Services) -> str:
    """A broker with aisle's topics."""
    async with admin_client(services.kafka_bootstrap) as admin:
        await create_topics(admin, services.settings)
    return services.kafka_bootstrap


@pytest.fixture
async def empty(services: Services) -> AsyncIterator[Store]:
    """Another database, with nothing in it."""
    other = Store(services.mongodb_uri, f"test-{uuid4().hex}")
    yield other
    other.close()


@pytest.fixture
async def full(store: Store) -> Store:
    """A store with documents of all kinds of values, more than are read at once."""
    kinds = {"at": NOON, "bytes": Binary(b"\x00\xff"), "long": Int64(7), "many": [1, 2.5, None, {"a.b": "ü"}]}
    items: list[dict[str, Any]] = [
        {"_id": f"e{number:04}", "product_id": f"p{number}", "product": {"published_at": NOON, **kinds}}
        for number in range(600)
    ]
    await store.collection(ITEMS).insert_many(items)
    await store.collection(FEEDBACK).insert_one({"_id": "f1", "event_id": "e0001", "at": NOON, "by": "ada"})
    await store.collection(LEASES).insert_one({"_id": "training", "holder": "somebody"})
    return store


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory with a file of each kind, links, and what is in the making."""
    root = tmp_path / "data"
    for name in FOLDERS:
        (root / name / "deep").mkdir(parents=True)
        (root / name / "deep" / "file").write_bytes(name.encode())
        (root / name / ".half-made").mkdir()
        (root / name / ".half-made" / "file").write_bytes(b"no")
    (root / "sets" / "deep" / "photo").hardlink_to(root / "images" / "deep" / "file")
    (root / "secrets").mkdir()
    (root / "secrets" / "gateway.key").write_text("x" * 40)
    with closing(sqlite3.connect(root / "mlflow" / "mlflow.db")) as database:
        database.execute("create table runs (name text)")
        database.execute("insert into runs values ('first')")
        database.commit()
    return root


def files(root: Path) -> dict[str, str]:
    """Hashes of the files of a data directory, hidden ones left out; a database by what it has."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and "/." not in f"/{name}":
            found[name] = "database" if path.suffix == ".db" else sha256_of(path)
    return found


async def held(store: Store) -> dict[str, Collected]:
    """What each collection has that has anything."""
    return {name: one for name in await collections_of(store) if (one := await digest_of(store, name)).documents}


async def test_restored_secrets_are_their_owners_alone(
    full: Store, empty: Store, bootstrap: str, data_dir: Path, tmp_path: Path
) -> None:
    """Also where the backup has lain on a disk that knows no owners."""
    target, fresh = tmp_path / "backup", tmp_path / "fresh"
    await take(full, bootstrap, data_dir, target, silent, secrets=True)
    (target / "data" / "secrets" / "gateway.key").chmod(0o644)
    await Restore(empty, bootstrap, fresh, target, silent).run("ada")

    modes = {path.name: path.stat().st_mode & 0o777 for path in (fresh / "secrets", fresh / "secrets" / "gateway.key")}
    assert {"secrets": 0o700, "gateway.key": 0o600} == modes
    assert b"images" == (fresh / "images" / "deep" / "file").read_bytes()


async def test_what_is_restored_is_what_was(
    full: Store, empty: Store, bootstrap: str, data_dir: Path, tmp_path: Path
) -> None:
    """Documents to the last bit, files, links and the registry's database; nothing that was only in the making."""
    target, fresh = tmp_path / "backup", tmp_path / "fresh"
    await take(full, bootstrap, data_dir, target, silent, secrets=True)
    done = await Restore(empty, bootstrap, fresh, target, silent).run("ada")

    assert await held(full) == await held(empty)
    assert await held(full) == {name: one for name, one in read_manifest(target).collections.items() if one.documents}
    assert done.manifest.collections[ITEMS].documents == 600
    assert files(data_dir) == files(fresh)
    assert "secrets/gateway.key" in files(fresh)
    with closing(sqlite3.connect(fresh / "mlflow" / "mlflow.db")) as database:
        assert [("first",)] == database.execute("select name from runs").fetchall()
    assert (fresh / "sets" / "deep" / "photo").samefile(fresh / "images" / "deep" / "file")
    assert 0 == await empty.collection(LEASES).count_documents({}), "a lease is some living process's"


@pytest.mark.contract
async def test_a_backup_has_its_name_when_it_is_whole(
    full: Store, bootstrap: str, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off by a full disk it leaves nothing; one that is there is not written over; secrets only if asked for."""
    target = tmp_path / "here" / "backup"

    def full_disk(*_arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copy2", full_disk)
        with pytest.raises(OSError, match="No space"):
            await take(full, bootstrap, data_dir, target, silent, secrets=False)
    assert [] == list(target.parent.iterdir())

    await take(full, bootstrap, data_dir, target, silent, secrets=False)
    assert not (target / "data" / "secrets").exists()
    assert 0 == target.stat().st_mode & 0o077, "nobody else reads it"
    with pytest.raises(NotEmpty, match="is there already"):
        await take(full, bootstrap, data_dir, target, silent, secrets=False)


async def test_nothing_is_touched_where_it_must_not_be(
    full: Store, empty: Store, bootstrap: str, data_dir: Path, tmp_path: Path
) -> None:
    """By a damaged backup, one with a file too many, one of a newer release; in a system that has something."""
    target, fresh = tmp_path / "backup", tmp_path / "fresh"
    await take(full, bootstrap, data_dir, target, silent, secrets=False)
    restore = Restore(empty, bootstrap, fresh, target, silent)
    file = target / "data" / "images" / "deep" / "file"

    file.write_bytes(b"damaged")
    with pytest.raises(BackupInvalid, match="not what was written"):
        await restore.run("ada")
    file.write_bytes(b"images")
    (target / "more").write_bytes(b"")
    with pytest.raises(BackupInvalid, match="such as more"):
        await restore.run("ada")
    (target / "more").unlink()
    whole = (target / "manifest.json").read_text()
    (target / "manifest.json").write_text(whole.replace('"schema_version": 1', '"schema_version": 99'))
    with pytest.raises(StoreTooNew):
        await restore.run("ada")
    (target / "manifest.json").write_text(whole)
    with pytest.raises(NotEmpty, match="the collection items"):
        await Restore(full, bootstrap, fresh, target, silent).run("ada")
    with pytest.raises(NotEmpty, match="it has images"):
        await Restore(empty, bootstrap, data_dir, target, silent).run("ada")
    await empty.collection("orders").insert_one({"_id": "another application's"})
    with pytest.raises(NotEmpty, match="the collection orders"):
        await restore.run("ada")
    assert 1 == await empty.collection("orders").count_documents({})
    await empty.collection("orders").delete_many({})

    assert {} == await held(empty)
    assert not fresh.exists()


@pytest.mark.contract
async def test_cut_off_it_goes_on_and_by_force_it_takes_the_place(
    full: Store,
    empty: Store,
    bootstrap: str,
    data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A restore that was killed is done by the same command again; --force leaves nothing of what was there."""
    target, fresh = tmp_path / "backup", tmp_path / "fresh"
    await take(full, bootstrap, data_dir, target, silent, secrets=False)
    restore = Restore(empty, bootstrap, fresh, target, silent)

    def killed(*_arguments: Any) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(restore, "_folders", killed)
        with pytest.raises(RuntimeError, match="killed"):
            await restore.run("ada")
    await restore.run("ada")
    assert await held(full) == await held(empty)
    with pytest.raises(NotEmpty):
        await restore.run("ada")

    await empty.collection(ITEMS).insert_one({"_id": "another"})
    await empty.collection("strange").insert_one({"_id": 1})
    (fresh / "models" / "another").write_bytes(b"")
    await restore.run("ada", force=True)
    assert await held(full) == await held(empty)
    assert not (fresh / "models" / "another").exists()


@pytest.mark.contract
async def test_a_writer_is_noticed(
    full: Store, empty: Store, bootstrap: str, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not what the backup has is said, and not taken for restored."""
    target = tmp_path / "backup"
    await full.collection(AUDIT).insert_one({"_id": "a1"})
    await take(full, bootstrap, data_dir, target, silent, secrets=False)
    restore = Restore(empty, bootstrap, tmp_path / "fresh", target, silent)
    compare = restore._compare
    for name, one, count in ((AUDIT, "a1", 1), (ITEMS, "e0001", 600)):

        async def disturbed(manifest: Any, name: str = name, one: str = one) -> None:
            await empty.collection(name).update_one({"_id": one}, {"$set": {"product_id": "another"}})
            await compare(manifest)

        monkeypatch.setattr(restore, "_compare", disturbed)
        with pytest.raises(RestoreFailed, match=f"{name} has {count} documents"):
            await restore.run("ada")
