"""``aisle retrain``: have a model learn from corrections now, and see what retraining did."""

import asyncio
from typing import TYPE_CHECKING, Final

import click

from scripts.output import print_json
from scripts.person import user_name
from scripts.retrain_sets import rebuild, rejected
from scripts.stored import opened_runs, opened_store

if TYPE_CHECKING:
    from infra.runs import Run, Runs

_LOOK_EVERY_S: Final = 0.5
_STATUS: Final = {"promoted": 0, "passed": 0, "refused": 3}

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def command() -> None:
    """Have a model learn from corrections, and see what retraining did.

    The retraining worker (`aisle up` runs one) trains by itself when a
    trigger fires; `status` shows how far each of them is.
    """


@command.command()
@click.option("--why", metavar="TEXT", default="asked for by hand", help="The reason, for the record.")
@click.option("--by", metavar="NAME", help="Who asks; default: your user name.")
@click.option("--wait", is_flag=True, help="Show its progress until it ends.")
@as_json_option
def now(why: str, by: str | None, *, wait: bool, as_json: bool) -> None:
    """Train now, whatever the triggers say.

    With --wait, the exit status is 0 if the model passed the gate, 3 if it
    was refused, and 1 if the training failed or was cancelled.
    """
    run, worker = asyncio.run(_ask(by or user_name(), why))
    if not worker:
        click.echo("no retraining worker is there: the run waits for one (`aisle up`)", err=True)
    if wait:
        run = asyncio.run(_follow(run.id))
    if as_json:
        print_json(run.model_dump())
    else:
        click.echo(f"run {run.id}: {run.outcome or 'asked for'}")
    if wait:
        raise SystemExit(_STATUS.get(run.state, 1))


@command.command()
@as_json_option
def status(as_json: bool) -> None:
    """Show how far each trigger is, and what goes on."""
    from scripts.retrain_status import read_status, shown

    found = asyncio.run(read_status())
    if as_json:
        print_json(found.as_json())
    else:
        for line in shown(found):
            click.echo(line)


@command.command()
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1_000), help="How many at most.")
@as_json_option
def runs(limit: int, as_json: bool) -> None:
    """List the runs, the latest first."""
    from scripts.retrain_view import heading, line

    async def read() -> "list[Run]":
        async with opened_runs() as found:
            return await found.latest(limit)

    every = asyncio.run(read())
    if as_json:
        print_json([run.model_dump(exclude={"log", "counted", "decision"}) for run in every])
    elif not every:
        click.echo("there was no retraining yet")
    else:
        click.echo(heading())
        for run in every:
            click.echo(line(run))


@command.command()
@click.argument("run", type=int)
@as_json_option
def show(run: int, as_json: bool) -> None:
    """Show one run: what fired it, what it did, how it was judged."""
    from scripts.retrain_view import details

    found = asyncio.run(_get(run))
    if as_json:
        print_json(found.model_dump(exclude={"counted"}))
    else:
        for text in details(found):
            click.echo(text)


@command.command()
@click.argument("run", type=int)
def cancel(run: int) -> None:
    """End a run that waits or is under way; the champion stays as it is."""
    from workers.retrain.errors import RunEnded

    async def ask() -> bool:
        async with opened_runs() as found:
            return await found.cancel(run)

    if not asyncio.run(ask()):
        raise RunEnded(f"Run {run} is not under way: {asyncio.run(_get(run)).outcome}.")
    click.echo(f"run {run} ends within seconds")


async def _ask(by: str, why: str) -> "tuple[Run, bool]":
    from infra.lease import holder_of
    from infra.runs import LEASE, Runs

    async with opened_store() as store:
        return await Runs(store).ask_by_hand(by, why), await holder_of(store, LEASE) is not None


async def _follow(run_id: int) -> "Run":
    """A run at its end; its steps are shown until then."""
    from scripts.steps import steps_shown

    with steps_shown() as told:
        async with opened_runs() as found:
            while True:
                run = await _known(found, run_id)
                if run.ended:
                    return run
                told(run.step or "waiting for the worker", run.part)
                await asyncio.sleep(_LOOK_EVERY_S)


async def _get(run_id: int) -> "Run":
    async with opened_runs() as found:
        return await _known(found, run_id)


async def _known(runs: "Runs", run_id: int) -> "Run":
    from workers.retrain.errors import RunUnknown

    run = await runs.get(run_id)
    if run is None:
        raise RunUnknown(f"There is no run {run_id}.", hint="`aisle retrain runs` lists them.")
    return run


command.add_command(rebuild)
command.add_command(rejected)
