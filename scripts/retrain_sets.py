"""``aisle retrain rebuild`` and ``rejected``: a training set made again, and what people reject as a set of its own."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scripts.output import print_json
from scripts.stored import opened_store

if TYPE_CHECKING:
    from workers.retrain.training_set import TrainingSet
    from workers.retrain.verdict_rows import Log

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

_COLUMNS = ("product_id", "title", "description", "image", "rejected_by", "rejected_at", "event_id", "feedback_id")


@click.command()
@click.argument("version")
@as_json_option
def rebuild(version: str, as_json: bool) -> None:
    """Make the training set VERSION again, byte by byte.

    From its manifest, the rows that the first model was trained on, and the
    verdicts that it names. VERSION may be as much of its beginning as no
    other has. Refused if something that it was made of is gone.
    """
    from infra.images import ImageStore
    from infra.settings import load_settings
    from scripts.steps import steps_shown
    from workers.retrain.set_files import sets_dir
    from workers.retrain.set_rows import ROWS
    from workers.retrain.training_set import rebuild as make_again

    data_dir = load_settings().data_dir

    async def run() -> "TrainingSet":
        async with opened_store() as store:
            return await make_again(store, ImageStore(data_dir / "images"), sets_dir(data_dir), version)

    with steps_shown() as told:
        told("making the set again", 0.0)
        made = asyncio.run(run())
        told("making the set again", 1.0)
    path, manifest = made.folder / ROWS, made.manifest
    if as_json:
        print_json({"version": made.version, "rows": path} | manifest.document())
    else:
        click.echo(f"{made.version}: {manifest.rows:,} rows, the same as before\n  {path}\n  {manifest.data_sha256}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@as_json_option
def rejected(file: Path, force: bool, as_json: bool) -> None:
    """Write the products that people reject to FILE, CSV, JSONL or Parquet.

    No model learns from them. In the column image is the photo's place in
    the image store.
    """
    from infra.images import ImageStore
    from infra.settings import load_settings
    from model.data.writers import check_new, check_suffix, table_writer
    from workers.retrain.verdict_rows import read_log, standing

    check_suffix(file)
    check_new([file], force=force)
    images = ImageStore(load_settings().data_dir / "images")

    async def run() -> "Log":
        async with opened_store() as store:
            return await read_log(store)

    count = 0
    said = asyncio.run(run()).said()
    with table_writer(file, _COLUMNS) as write:
        for one in said:
            word = standing(one.opinions)
            if word.verdict != "rejected":
                continue
            photo = str(images.path(one.photo)) if one.photo else None
            by = word.by, word.at.isoformat(), word.event_id, word.feedback_id
            values = (one.product_id, one.title, one.description, photo, *by)
            write(dict(zip(_COLUMNS, values, strict=True)))
            count += 1
    if as_json:
        print_json({"file": file, "rows": count})
    else:
        click.echo(f"{count:,} rejected products written to {file}")
