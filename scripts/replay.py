"""``aisle replay``: publish again what was published before, or what a file or the store holds."""

from typing import Any

import click

from scripts.output import print_json
from scripts.replay_compare import compare
from scripts.replay_source import source_options

_RUN = "run"


class _RunByDefault(click.Group):
    """A group that takes what names none of its commands for the arguments of ``run``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The same, with the command's name."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [_RUN, *args]
        return super().parse_args(ctx, args)


@click.group(cls=_RunByDefault)
def command() -> None:
    """Publish products again, or those of a file: aisle replay FILE.

    `aisle replay run --help` lists what can be replayed and how; the word run
    may be left out. What was classified stays as it is: an event keeps its id,
    and the first answer to it stands.
    """


@command.command(_RUN)
@source_options
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Events a second; else as fast as it goes.")
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), help="As they came, N times as fast.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first N events.")
@click.option("--to", "to", metavar="TOPIC", help="Where to; default: products.in, or the topic itself.")
@click.option("--to-cluster", metavar="HOST:PORT", help="To the brokers of another cluster.")
@click.option("--model", metavar="VERSION", help="Publish nothing: keep what this model, or bundle, says of it.")
@click.option("--resume", metavar="ID", help="Go on with a replay that was stopped; all else it knows.")
@click.option("--dry-run", is_flag=True, help="Count and check, publish nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def run(*, resume: str | None, dry_run: bool, as_json: bool, **options: Any) -> None:
    """Publish the products of FILE, or what the options choose.

    FILE is CSV, JSONL or Parquet with a title column, or the challenge's own.
    Records of a topic go out byte by byte, with the headers aisle-event-id,
    aisle-replay and aisle-replay-source added, up to the end that the topic
    has now. The same events have the same ids, so a replay changes nothing in
    the store that was there.
    """
    import asyncio

    from infra.priority import stand_back

    if options["model"] is not None:
        stand_back()

    from infra.settings import load_settings
    from scripts.replay_asked import Asked
    from scripts.replay_run import Run
    from scripts.replay_view import outcome, said
    from streams.replay.checkpoint import Replays

    asked = Asked(**options)
    settings = load_settings()
    replays = Replays(settings.data_dir)
    if resume is None:
        asked.check()
        task = Run(settings, replays, asked)
    elif asked.given or dry_run:
        raise click.UsageError("--resume goes without other options: the replay knows them.")
    else:
        former = replays.read(resume)
        task = Run(settings, replays, Asked.model_validate(former.options), former)
    try:
        asyncio.run(task.run(dry_run=dry_run))
    except KeyboardInterrupt:
        click.echo(said(task), err=True)
        raise
    for message in task.problems.messages:
        click.echo(f"passed over: {message}", err=True)
    if as_json:
        print_json(task.report(dry_run=dry_run))
    else:
        click.echo(outcome(task, dry_run=dry_run))
    task.check_refused()


command.add_command(compare)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(*, as_json: bool) -> None:
    """List the replays of this machine, the newest first."""
    from infra.settings import load_settings
    from scripts.replay_view import listed
    from streams.replay.checkpoint import Replays

    found = Replays(load_settings().data_dir).all()
    if as_json:
        print_json([one.model_dump(mode="json", exclude_none=True) for one in found])
        return
    for line in listed(found):
        click.echo(line)
