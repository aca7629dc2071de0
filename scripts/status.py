"""``aisle status``: how it is with aisle, now or as it goes on."""

import asyncio
from typing import TYPE_CHECKING, Final

import click

from scripts.output import print_json

if TYPE_CHECKING:
    from infra.settings import Settings

_EVERY_S: Final = 2.0


@click.command()
@click.option("--watch", is_flag=True, help="Show it again every two seconds, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(watch: bool, as_json: bool) -> None:
    """Show lag, rates, model, accuracy, drift, alerts and processes.

    It asks the broker, the store, and the workers of an `aisle up` in this
    data directory. What is away is said to be so, and the rest is shown.
    """
    from infra.settings import load_settings
    from scripts.status_read import read_status

    settings = load_settings()
    if watch and as_json:
        raise click.UsageError("--watch is for people: run --json again instead.")
    if as_json:
        print_json(asyncio.run(read_status(settings)).as_json())
    else:
        asyncio.run(_show(settings, watch=watch))


async def _show(settings: "Settings", *, watch: bool) -> None:
    from rich.console import Console
    from rich.live import Live

    from scripts.status_read import read_status
    from scripts.status_view import WIDTH, picture

    console = Console(width=WIDTH, highlight=False)
    if not watch:
        console.print(picture(await read_status(settings)))
    elif console.is_terminal:
        with Live(picture(await read_status(settings)), console=console, auto_refresh=False) as live:
            while True:
                live.update(picture(await read_status(settings)), refresh=True)
                await asyncio.sleep(_EVERY_S)
    else:
        while True:
            console.print(picture(await read_status(settings)), "")
            await asyncio.sleep(_EVERY_S)
