"""``python -m tests.chaos``: kill things under load, and count what is left."""

import asyncio
import dataclasses
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import get_args

import click
from aiokafka.errors import KafkaError

from infra.process import module, settings_variables
from infra.settings import Settings
from schemas.errors import AisleError
from scripts.output import print_json
from scripts.progress import progress_bar
from tests.chaos import durable_store
from tests.chaos.report import Report, markdown
from tests.chaos.rig import NotBack, StoreProcesses
from tests.chaos.run import Plan, run
from tests.chaos.schedule import CI, LONG, Kind, Profile

_HANG_DEADLINE_S = 12.0
_KIND = click.Choice(get_args(Kind))
_FOODS = Path(__file__).parents[1] / "data" / "ciqual_fr" / "ciqual_fr.csv"


@click.command(context_settings={"max_content_width": 80})
@click.option("--ci", is_flag=True, help="The small form: 50,000 events, at most 5 minutes in all.")
@click.option("--seed", type=int, help="Repeat the schedule of an earlier run.")
@click.option("--events", type=click.IntRange(min=1), help="Events of the steady flow.")
@click.option("--seconds", type=click.FloatRange(min=5), help="How long the steady flow lasts.")
@click.option("--only", multiple=True, type=_KIND, metavar="KIND", help="Only faults of this kind; again for more.")
@click.option("--durable", is_flag=True, help="With a durable store (mongod, else FerretDB), killed too.")
@click.option("--model", type=click.Path(exists=True, path_type=Path), help="Bundle to serve; else one is trained.")
@click.option("--folder", type=click.Path(path_type=Path), help="Keep data, log, schedule and report here.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(  # noqa: PLR0913 - click hands over one argument an option
    *,
    ci: bool,
    seed: int | None,
    events: int | None,
    seconds: float | None,
    only: tuple[Kind, ...],
    durable: bool,
    model: Path | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Kill, pause and poison aisle under load, then count what became of each event.

    The long form: 1,000,000 events and the whole list of faults. Ends with 1 if anything is lost, doubled beyond
    its bound, out of order, committed too early, or not exactly one document.
    """
    profile = _profile(CI if ci else LONG, events, seconds, only)
    seed = random.randrange(10**6) if seed is None else seed
    click.echo(f"seed {seed}: {profile.events:,} events in {profile.lasts_s:,.0f} s", err=True)
    kept = folder is not None
    folder = (folder or Path(tempfile.mkdtemp(prefix="aisle-chaos-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        report = _run(profile, seed, folder, model, durable=durable)
    except durable_store.NotHere as error:
        click.echo(f"skipped: {error}", err=True)
        return
    except (AisleError, NotBack, KafkaError) as error:
        raise click.ClickException(f"{error}\nIts files are in {folder}") from error
    if report is None:
        raise click.Abort
    (folder / "report.md").write_text(markdown(report) + "\n")
    if as_json:
        print_json(report.as_json())
    else:
        click.echo(markdown(report))
    if report.wrong or kept:
        click.echo(f"The log and the schedule are in {folder}", err=True)
    else:
        shutil.rmtree(folder)
    sys.exit(1 if report.wrong else 0)


def _run(profile: Profile, seed: int, folder: Path, model: Path | None, *, durable: bool) -> Report | None:
    with ExitStack() as stack:
        store: StoreProcesses | None = None
        settings = Settings(data_dir=folder / "var", kafka_bootstrap=None, mongodb_uri=None)
        if durable:
            store, uri = stack.enter_context(durable_store.durable_store(folder))
            settings = settings.model_copy(update={"mongodb_uri": uri} if uri else {})
        if model is not None:
            settings = settings.model_copy(update={"model": model.resolve()})
        else:
            _train(settings)
        if profile.has_killers:
            settings = settings.model_copy(update={"infer_deadline_s": _HANG_DEADLINE_S})
        bar = stack.enter_context(progress_bar("events", profile.events))
        doing = ""

        def told(done: int, what: str) -> None:
            nonlocal doing
            bar(done)
            if what != doing:
                click.echo(what, err=True)
                doing = what

        return asyncio.run(run(Plan(profile, seed, folder, durable, told), settings, store))


def _profile(profile: Profile, events: int | None, seconds: float | None, only: Sequence[Kind]) -> Profile:
    """The profile at another size, a shorter one with fewer faults; only some kinds of these."""
    events = events or profile.events
    seconds = seconds or profile.lasts_s * events / profile.events
    share = min(1.0, seconds / profile.lasts_s)
    faults = tuple(
        (kind, target, max(1, round(number * share)))
        for kind, target, number in profile.faults
        if not only or kind in only
    )
    return dataclasses.replace(profile, events=events, lasts_s=seconds, faults=faults)


def _train(settings: Settings) -> None:
    """A champion of the test suite's own data, by aisle's own command: TensorFlow stays out of this process."""
    click.echo("training a model", err=True)
    variables = {**os.environ, **settings_variables(settings)}
    done = subprocess.run(
        module("scripts", "train", str(_FOODS)), env=variables, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise click.ClickException(f"No model to serve:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    command(prog_name="python -m tests.chaos")
