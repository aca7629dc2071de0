"""``aisle replay``: publish a file of products."""

import asyncio
from itertools import islice
from pathlib import Path
from time import monotonic

import click

from scripts.output import print_json


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Events a second; else as fast as it goes.")
@click.option("--limit", type=click.IntRange(min=1), help="Publish only the first N products.")
@click.option("--dry-run", is_flag=True, help="Count and check, publish nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(file: Path, rate: float | None, limit: int | None, dry_run: bool, as_json: bool) -> None:
    """Publish the products of FILE to products.in.

    FILE is CSV, JSONL or Parquet with a title column, or the challenge's own. The same file gives the same
    event ids, so a second replay changes nothing in the store.
    """
    from infra.endpoints import find_kafka
    from infra.errors import TopicMissing
    from infra.kafka.clients import admin_client, producer_client
    from infra.settings import load_settings
    from model.data.dataset import RowProblems, iter_products
    from schemas.topics import PRODUCTS_IN
    from scripts.errors import ProductsRefused
    from scripts.progress import progress_bar
    from streams.publish import FileEvents, Published, check, publish

    problems = RowProblems()
    started, done = monotonic(), check(islice(iter_products(file, problems=problems), limit))
    if not dry_run:
        total = done.events
        bootstrap, events = find_kafka(load_settings()), FileEvents.of(file)

        async def send() -> Published:
            async with admin_client(bootstrap) as admin:
                if PRODUCTS_IN not in await admin.list_topics():
                    raise TopicMissing(f"There is no topic {PRODUCTS_IN}.", hint="Run `aisle topics create`.")
            with progress_bar("replaying", total) as told:
                async with producer_client(bootstrap) as producer:
                    rows = islice(iter_products(file), limit)
                    return await publish(producer, rows, events, rate=rate, told=lambda now: told(now.events))

        done = asyncio.run(send())
    seconds = monotonic() - started
    for message in problems.messages:
        click.echo(f"passed over: {message}", err=True)
    if as_json:
        report = {"events": done.events, "refused": done.refused, "passed_over": problems.empty + problems.broken}
        print_json({"topic": PRODUCTS_IN, "dry_run": dry_run, "seconds": round(seconds, 3), **report})
    elif dry_run:
        click.echo(f"{done.events:,} products would go to {PRODUCTS_IN}")
    else:
        click.echo(f"{done.events:,} products sent to {PRODUCTS_IN} in {seconds:.1f} s")
    if done.refused:
        raise ProductsRefused(f"{done.refused} products are larger than a record may be (1 MiB).")
