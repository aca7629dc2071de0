"""``aisle export``: items and verdicts as a file."""

import asyncio
from datetime import datetime
from pathlib import Path

import click

from scripts.times import Moment

_ENDINGS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}


@click.command()
@click.argument("what", type=click.Choice(["items", "verdicts"]))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--since",
    type=Moment(),
    help="Items published, or verdicts given, since: ISO 8601, or 2h for two hours ago.",
)
@click.option("--model", metavar="VERSION", help="Only those predicted by this model version.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, what: str, file: Path, since: datetime | None, model: str | None, as_json: bool) -> None:
    """Write items or verdicts to FILE.

    Its ending says how: .csv, .jsonl or .parquet. A table of verdicts can be
    read back with `aisle feedback import`. In CSV, a text that a spreadsheet
    would take for a formula gets an apostrophe before it.
    """
    from scripts.output import print_json

    kind = _ENDINGS.get(file.suffix.lower())
    if kind is None:
        raise click.UsageError(f"{file} ends in none of {', '.join(_ENDINGS)}.")
    rows = asyncio.run(_export(what, kind, file, since, model))
    if as_json:
        print_json({"file": file, "rows": rows})
    else:
        click.echo(f"{rows:,} {what} in {file}")


async def _export(what: str, kind: str, file: Path, since: datetime | None, model: str | None) -> int:
    """Write the file; it has its name once it is whole."""
    from typing import cast

    from infra.settings import load_settings
    from model.shelves import TaxonomyInForce
    from scripts.progress import progress_bar
    from scripts.stored import opened_store
    from workers.gateway.export.export import exported
    from workers.gateway.export.formats import Format
    from workers.gateway.export.rows import What
    from workers.gateway.export.source import ExportChoice, Source

    choice = ExportChoice(cast(What, what), since, model)
    rows = 0
    part = file.with_name(f".{file.name}.part")
    try:
        async with opened_store() as store:
            source = Source(store, TaxonomyInForce(load_settings()))
            with part.open("wb") as output, progress_bar("exporting", await source.count(choice)) as show:

                def told(done: int) -> None:
                    nonlocal rows
                    rows = done
                    show(done)

                async for chunk in exported(source, choice, cast(Format, kind), told):
                    output.write(chunk)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return rows
