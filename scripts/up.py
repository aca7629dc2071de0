"""``aisle up``: everything on this machine, until Ctrl-C."""

import asyncio
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from infra.supervisor import ProcessEvent

_COLOURS = {"ready": "green", "started": "green", "done": "green", "restarting": "yellow"}


@click.command()
@click.option("--workers", default=1, show_default=True, type=click.IntRange(0, 64), help="Classify processes to run.")
@click.option("--no-archive", is_flag=True, help="Leave the archive (and so MongoDB writes) out.")
def command(workers: int, no_archive: bool) -> None:
    """Run services, topics and workers; Ctrl-C stops them all."""
    from infra.settings import load_settings
    from infra.stack import Stack, run_until_stopped

    stack = Stack(load_settings(), workers=workers, archive=not no_archive, on_event=print_event)
    asyncio.run(run_until_stopped(stack, lambda: click.secho("aisle is up; Ctrl-C stops it", bold=True)))


def print_event(event: "ProcessEvent") -> None:
    """One line for an event; a worker's own lines as they are, after its name."""
    name = click.style(f"{event.name:11}", fg="cyan")
    if event.what == "line":
        click.echo(f"{name} {event.detail}")
        return
    pid = f"pid {event.pid}" if event.pid and event.what in ("starting", "started") else ""
    what = click.style(f"{event.what:11}", fg=_COLOURS.get(event.what))
    click.echo(" ".join(filter(None, (name, what, pid, event.detail))).rstrip())
