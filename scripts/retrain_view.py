"""How a retraining run looks: a line in a list, or all of it."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click

from scripts.output import printable

if TYPE_CHECKING:
    from infra.runs import Run

_WIDTH: Final = 80
_COLOURS: Final = {"promoted": "green", "passed": "green", "refused": "yellow", "failed": "red", "running": "cyan"}


def heading() -> str:
    """The head of the list."""
    return click.style(f"{'run':>5}  {'asked for':16}  {'took':>6}  {'state':9}  {'trigger':11}  version", bold=True)


def line(run: "Run") -> str:
    """A run in the list."""
    state = click.style(f"{run.state:9}", fg=_COLOURS.get(run.state))
    version = run.version or ""
    return f"{run.id:5}  {_when(run.asked_at)}  {_took(run):>6}  {state}  {run.trigger:11}  {version}"


def details(run: "Run") -> Iterator[str]:
    """All that is on record of a run."""
    yield click.style(f"run {run.id}, {run.state}", bold=True)
    yield f"  trigger  {run.trigger}: {printable(run.why)}"
    yield f"  by       {printable(run.by)}, {_when(run.asked_at)}"
    if run.champion:
        yield f"  after    {run.champion}"
    if run.set_version:
        yield f"  set      {run.set_version}"
    if run.version:
        yield f"  version  {run.version}"
    if run.state == "running":
        yield f"  step     {run.step} {run.part:.0%}, attempt {run.attempt}"
    if run.outcome:
        yield f"  outcome  {printable(run.outcome)}"
    for name, value in run.figures.items():
        yield f"  {name:16} {_shown(value)}"
    if run.log:
        yield click.style("log", bold=True)
    for said in run.log:
        yield f"  {_when(said.at)}  {printable(said.said)}"


def _when(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M")


def _took(run: "Run") -> str:
    if run.started_at is None or run.ended_at is None:
        return ""
    seconds = (run.ended_at - run.started_at).total_seconds()
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} min"


def _shown(value: Any) -> str:
    if value is None:
        return "not known"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
