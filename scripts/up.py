"""``aisle up``: everything on this machine, until Ctrl-C."""

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from infra.supervisor import ProcessEvent

_COLOURS = {"ready": "green", "done": "green", "restarting": "yellow", "stuck": "red"}


@click.command()
@click.option("--workers", default=1, show_default=True, type=click.IntRange(0, 64), help="Classify processes to run.")
@click.option("--no-archive", is_flag=True, help="Leave the archive (and so MongoDB writes) out.")
@click.option("--no-learning", is_flag=True, help="Leave retraining and the monitor out.")
@click.option("--no-gateway", is_flag=True, help="Leave the API and the pages out.")
def command(workers: int, *, no_archive: bool, no_learning: bool, no_gateway: bool) -> None:
    """Run services, topics and workers; Ctrl-C stops them all."""
    from infra.settings import load_settings
    from infra.stack import Stack, run_until_stopped

    stack = Stack(
        load_settings(),
        workers=workers,
        archive=not no_archive,
        learning=not (no_learning or no_archive),
        gateway=not (no_gateway or no_archive),
        on_event=print_event,
    )

    async def stay() -> None:
        _print(click.style("aisle is up; Ctrl-C stops it", bold=True))
        await asyncio.Event().wait()  # a signal, or a process that cannot be kept running, ends it

    asyncio.run(run_until_stopped(stack, stay))


def print_event(event: "ProcessEvent") -> None:
    """One line for an event; a worker's own lines as they are, after its name."""
    name = click.style(f"{event.name:11}", fg="cyan")
    if event.what == "line":
        _print(f"{name} {event.detail}")
        return
    detail = f"pid {event.pid}" if event.what == "starting" else event.detail
    what = click.style(f"{event.what:11}", fg=_COLOURS.get(event.what))
    _print(" ".join(filter(None, (name, what, detail))))


def _print(line: str) -> None:
    try:
        click.echo(line.rstrip())
    except OSError:  # the terminal or the reader of our output has gone: stop in good order, without words
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        os.kill(os.getpid(), signal.SIGTERM)
