"""Steps of long work as they happen: bars on a terminal, plain lines elsewhere, with the time that is left."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final

import click

Told = Callable[[str, float], None]

SETTLED_S: Final = 2.0
"""Seconds before anybody guesses at the time left: what is done at once, as it was kept, says nothing of the rest."""

_TELLING = 0.02  # part of a step after which its pace says something
_LINE_EVERY_S = 30.0


@contextmanager
def steps_shown() -> Iterator[Told]:
    """Show steps on standard error while the context lasts.

    Yields:
        A function to call with a step's name and which part of it is done, from 0 to 1.
    """
    paces: dict[str, Pace] = {}
    if not sys.stderr.isatty():
        yield _Lines(paces)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:20}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[left]}"))
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:

        def told(step: str, part: float) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=1.0, left="")
                paces[step] = Pace()
            progress.update(tasks[step], completed=part, left=paces[step].left(part))

        yield told


class Pace:
    """How fast a step goes."""

    def __init__(self) -> None:
        self._made = self._since = monotonic()
        self._before = 0.0

    def left(self, part: float) -> str:
        """The time left, in words; '' while nobody knows, and at the end.

        Args:
            part: What is done of the step, from 0 to 1.
        """
        now = monotonic()
        if now - self._made < SETTLED_S:
            self._since, self._before = now, part
        done = part - self._before
        if done < _TELLING or part >= 1:
            return ""
        return f"about {_duration((1 - part) * (now - self._since) / done)} left"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:.1f} h"


class _Lines:
    """One line when a step begins, and more of a long one."""

    def __init__(self, paces: dict[str, Pace]) -> None:
        self._paces = paces
        self._said_at = 0.0

    def __call__(self, step: str, part: float) -> None:
        if step not in self._paces:
            self._paces[step] = Pace()
            self._said_at = monotonic()
            click.echo(f"{step} …", err=True)
        elif (left := self._paces[step].left(part)) and monotonic() - self._said_at > _LINE_EVERY_S:
            self._said_at = monotonic()
            click.echo(f"{step} … {part:.0%}, {left}", err=True)
