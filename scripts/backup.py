"""``aisle backup``: the store, the registry, photos, training sets and positions of topics as one folder."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scripts.output import print_json
from scripts.stored import opened_store

if TYPE_CHECKING:
    from infra.backup.manifest import BackupManifest


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--secrets", is_flag=True, help="Also the kept secrets: then guard DIR as you guard them.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(folder: Path, *, secrets: bool, as_json: bool) -> None:
    """Take a backup into DIR while everything runs.

    All collections, models and their registry, photos, training sets, the
    topics that are kept for good, and how far the archive was. DIR is there
    when it is whole, or not at all. `aisle restore DIR` puts it back.
    """
    from infra.backup.manifest import read_manifest
    from infra.backup.take import take
    from infra.endpoints import find_kafka
    from infra.settings import load_settings
    from scripts.steps import steps_shown

    settings = load_settings()

    async def run() -> "BackupManifest":
        async with opened_store() as store:
            with steps_shown() as told:
                await take(store, find_kafka(settings), settings.data_dir, folder, told, secrets=secrets)
        return read_manifest(folder)

    made = asyncio.run(run())
    documents = sum(one.documents for one in made.collections.values())
    size = sum((folder / name).stat().st_size for name in made.files)
    if as_json:
        told = {"documents": documents, "files": len(made.files), "bytes": size, "champion": made.champion}
        print_json(told | {"backup": folder, "at": made.at, "collections": made.model_dump()["collections"]})
        return
    click.echo(f"{folder}: {documents:,} documents, {len(made.files):,} files, {size / 1e6:,.1f} MB")
    click.echo(f"  in service  {made.champion or 'no model'}")
    if settings.mlflow and settings.mlflow_uri is not None:
        click.echo("  not in it   the MLflow server's own data: back that up where it runs", err=True)
