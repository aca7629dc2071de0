"""Steps of long work as they happen: bars on a terminal, a plain line each elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

Told = Callable[[str, float], None]


@contextmanager
def steps_shown() -> Iterator[Told]:
    """Show steps on standard error while the context lasts.

    Yields:
        A function to call with a step's name and which part of it is done, from 0 to 1.
    """
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:20}"), BarColumn(), TimeElapsedColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:

        def told(step: str, part: float) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=1.0)
            progress.update(tasks[step], completed=part)

        yield told


class _Lines:
    """One line when a step begins."""

    def __init__(self) -> None:
        self._begun: set[str] = set()

    def __call__(self, step: str, part: float) -> None:  # noqa: ARG002 - a line says only that it began
        if step not in self._begun:
            self._begun.add(step)
            click.echo(f"{step} …", err=True)
