"""``aisle score``: how new products with known categories are answered by what is in service."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import click

from scripts.times import Span

if TYPE_CHECKING:
    from scripts.score_round import Round


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--rows", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Send N of them.")
@click.option("--every", type=Span(), help="Again and again, as 5m, until all of FILE was sent.")
@click.option("--rounds", type=click.IntRange(1), help="At most so often, with --every.")
@click.option("--out", type=click.Path(path_type=Path), help="Note each round in this CSV, and draw them beside it.")
@click.option("--wait", type=click.FloatRange(1, 3_600), default=60, show_default=True, help="Seconds for the answers.")
@click.option("--min-accuracy", type=click.FloatRange(0, 1), help="Fail if it is surely below this.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, a line a round.")
def command(
    *,
    file: Path,
    every: timedelta | None,
    rounds: int | None,
    out: Path | None,
    min_accuracy: float | None,
    as_json: bool,
    **of_a_round: Any,
) -> None:
    """Send rows of FILE that were never sent, and score the answers.

    FILE is CSV, JSONL or Parquet with categories, which stay here. The rows
    go to products.in like any others; which were sent, the archive knows, so
    that a command that was stopped goes on where it was.
    """
    from infra.settings import load_settings

    if every is None and rounds is not None:
        raise click.UsageError("--rounds goes with --every.")
    settings = load_settings()
    done: Round | None = None

    def score_now() -> "Round":
        from scripts.score_round import score

        return asyncio.run(score(settings, file, of_a_round["rows"], of_a_round["wait"]))

    for one in _rounds(score_now, every, rounds):
        done = one if done is None else done.with_(one)
        _tell(one, done, file, as_json=as_json)
        if out is not None and one.sent:
            from scripts.score_log import note

            note(out, one)
    if done is not None and min_accuracy is not None:
        _check(done, min_accuracy)


def _rounds(score_now: "Callable[[], Round]", every: timedelta | None, most: int | None) -> "Iterator[Round]":
    """Each round when it is due, until no row is left; without a span, one."""
    from schemas.errors import AisleError

    number, due = 0, monotonic()
    while True:
        try:
            one = score_now()
        except AisleError as error:
            if every is None or not error.retryable:
                raise
            click.echo(f"no round now: {error}", err=True)  # the next one has these rows
        else:
            number += 1
            yield one
            if every is None or not one.sent or number == most:
                return
        due = max(due + every.total_seconds(), monotonic())
        sleep(max(0.0, due - monotonic()))


def _tell(one: "Round", done: "Round", file: Path, *, as_json: bool) -> None:
    from scripts.output import print_json

    if as_json:
        print_json(one.figures())
    elif (span := one.interval) is None:
        click.echo(f"every row of {file} with a category was sent before")
    else:
        said = f"{one.right} of {one.sent} right ({span.low:.1%} to {span.high:.1%}); "
        said += f"{one.sent - one.answered} not answered"
        if done.sent > one.sent:
            said += f"; {done.right / done.sent:.1%} of {done.sent:,} so far, weighted F1 {done.weighted_f1 or 0:.3f}"
        click.echo(said)


def _check(done: "Round", floor: float) -> None:
    from scripts.errors import AccuracyTooLow

    span = done.interval
    if span is not None and span.high < floor:
        raise AccuracyTooLow(f"At most {span.high:.1%} of such answers are right; {floor:.1%} were asked for.")
