"""``aisle restore``: put a backup back, and see that it is what it was."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scripts.output import print_json
from scripts.stored import opened_store

if TYPE_CHECKING:
    from infra.backup.manifest import Told
    from infra.doctor import Finding
    from infra.settings import Settings


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Put it in the place of what is there.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(folder: Path, *, force: bool, as_json: bool) -> None:
    """Put the backup in DIR back into an empty system.

    All files are held to their hashes before anything is written, and all
    collections afterwards. Broker and store have to run, and no worker:
    `aisle services up`. Cut off, it may be run again. What was forgotten by
    request since the backup stays forgotten where --force finds it, and
    the audit log keeps its entries.
    """
    from infra.settings import load_settings
    from scripts.steps import steps_shown

    settings = load_settings()
    with steps_shown() as told:
        done = asyncio.run(_restore(settings, folder, told, force=force))
    findings = list(_checked(settings))
    if as_json:
        print_json(done | {"checks": {one.name: one.status for one in findings}})
    else:
        click.echo(f"{done['documents']:,} documents and {done['files']:,} files are as they were on {done['at']}")
        click.echo(f"  in service  {done['champion'] or 'no model'}")
        for topic, count in done["published"].items():
            click.echo(f"  published   {count:,} records to {topic}")
        if done["forgotten"]:
            click.echo(f"  forgotten   {done['forgotten']:,} events that the backup still had")
        for one in findings:
            click.echo(f"  {one.name:10}  {one.detail}")
    if bad := [one for one in findings if one.status == "fail"]:
        from infra.errors import RestoreFailed

        raise RestoreFailed(f"{bad[0].name}: {bad[0].detail}", hint=bad[0].hint)


async def _restore(settings: "Settings", folder: Path, told: "Told", *, force: bool) -> dict[str, Any]:
    from infra.backup.manifest import read_manifest
    from infra.backup.put_back import Restore
    from infra.endpoints import find_kafka
    from infra.errors import NotEmpty
    from infra.kafka.clients import admin_client
    from infra.kafka.topics import create_topics
    from infra.local.state import UP, read_state
    from infra.store_schema import prepare
    from scripts.forget_again import forget_again
    from scripts.person import user_name
    from workers.gateway.audit import Audit

    if read_state(settings.data_dir, UP) is not None:
        raise NotEmpty(
            f"aisle is up in {settings.data_dir}.", hint="`aisle down`, then `aisle services up`, then restore."
        )
    manifest = read_manifest(folder)  # before anybody is asked to start a server for it
    bootstrap = find_kafka(settings)
    async with admin_client(bootstrap) as admin:
        await create_topics(admin, settings)
    async with opened_store() as store:

        async def begin() -> None:
            of = {"at": manifest.at, "release": manifest.release, "force": force}
            await Audit(store).note(user_name(), "backup.restore", folder.name, after=of)

        async def finish() -> int:
            forgotten = await forget_again(settings, store)
            await prepare(store)
            return forgotten

        restore = Restore(store, bootstrap, settings.data_dir, folder, told)
        done = await restore.run(user_name(), force=force, begin=begin, finish=finish)
    return {
        "at": manifest.at.isoformat(timespec="seconds"),
        "documents": sum(one.documents for one in manifest.collections.values()),
        "files": len(manifest.files),
        "champion": done.champion,
        "published": done.published,
        "read_again": done.went_back,
        "forgotten": done.forgotten,
    }


def _checked(settings: "Settings") -> "Iterator[Finding]":
    """Those of `aisle doctor` that are about what was restored, and the champion's bundle."""
    from infra.doctor import run_check
    from infra.doctor_servers import check_broker, check_store

    yield run_check("broker", check_broker, settings)
    yield run_check("store", check_store, settings)
    yield run_check("model", _check_model, settings)


def _check_model(settings: "Settings") -> "Finding":
    from infra.doctor import Finding
    from model.bundle import verify
    from model.champion import find_bundle, read_champion

    if read_champion(settings.data_dir / "models") is None:
        return Finding("model", "ok", "none")
    bundle = find_bundle(None, settings.data_dir / "models")
    verify(bundle)
    return Finding("model", "ok", f"{bundle.name} is whole")
