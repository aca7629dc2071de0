"""``aisle data forget``: take products out of everything that is kept, and keep them out."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scripts.output import print_json
from scripts.stored import opened_store

if TYPE_CHECKING:
    from scripts.forget_run import Counts

_WORDS = {
    "events": "events",
    "verdicts": "verdicts of people",
    "contents": "contents, of which no category stands any more by these",
    "photos": "photos, if nothing else has them",
    "shadow": "answers in the shadow",
    "replays": "answers of what-if replays",
    "training_sets": "training sets that lose rows",
    "pages": "pages of what-if replays",
}


@click.command()
@click.argument("products", metavar="[PRODUCT_ID]...", nargs=-1)
@click.option("--from", "file", type=click.Path(path_type=Path), help="A file with a product id on each line.")
@click.option("--dry-run", is_flag=True, help="Count what there is, do nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def forget(products: tuple[str, ...], file: Path | None, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Forget products by request: nothing of them is kept.

    Items, photos, verdicts, rows of training sets, answers in the shadow and
    of replays go; what comes of them again by a replay or a retry is passed
    over. What is published of them from now on is new. Cut off, the same
    command does the rest. Topics lose their records by time: docs/data-care.md
    """
    from infra.settings import load_settings
    from scripts.forget_run import Forget
    from scripts.person import user_name
    from scripts.steps import steps_shown

    ids = sorted({*products, *(_read(file) if file is not None else ())})
    if not ids:
        raise click.UsageError("Name a product, or a file of them with --from.")

    async def run() -> "Counts":
        async with opened_store() as store:
            task = Forget(load_settings(), store, ids)
            if dry_run or not yes:
                counts = (await task.find()).counts(len(ids))
                if dry_run:
                    return counts
                _ask(counts)
            with steps_shown() as told:
                return await task.run(user_name(), told)

    counts = asyncio.run(run())
    if as_json:
        print_json(counts.as_json() | {"dry_run": dry_run})
        return
    click.echo(f"{counts.products:,} products {'would be forgotten' if dry_run else 'forgotten'}")
    click.echo(_shown(counts))


def _read(file: Path) -> list[str]:
    return [name for line in file.read_text(encoding="utf-8-sig").splitlines() if (name := line.strip())]


def _ask(counts: "Counts") -> None:
    if not click.get_text_stream("stdin").isatty():
        raise click.UsageError(f"This would forget {counts.products:,} products: say --yes if you mean it.")
    click.echo(_shown(counts), err=True)
    click.confirm(f"Forget {counts.products:,} products? Nothing brings them back", abort=True, err=True)


def _shown(counts: "Counts") -> str:
    return "\n".join(f"  {getattr(counts, name):>9,}  {words}" for name, words in _WORDS.items())
