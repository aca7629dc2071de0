"""``aisle plan``: how large a set-up has to be for so many events a day."""

import click

from scripts.output import print_json


@click.command()
@click.option(
    "--events-per-day",
    type=click.IntRange(1, 10**12),
    required=True,
    metavar="N",
    help="Products a day, as 10_000_000.",
)
@click.option(
    "--peak-factor",
    type=click.FloatRange(1, 1_000),
    default=3.0,
    show_default=True,
    help="The busiest minute, in multiples of the mean.",
)
@click.option(
    "--photos", type=click.FloatRange(0, 1), default=0.0, metavar="SHARE", help="Of them with a photo to look at."
)
@click.option(
    "--calls", type=click.FloatRange(0, 1), default=0.0, metavar="SHARE", help="Of them that come as predict calls."
)
@click.option(
    "--kept-days",
    type=click.FloatRange(1, 3_650),
    default=30.0,
    show_default=True,
    help="How long topics and items are kept.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    events_per_day: int, peak_factor: float, photos: float, calls: float, kept_days: float, as_json: bool
) -> None:
    """Say how large a set-up has to be for so many events a day.

    Computed from what was measured on 2 cores (docs/sizing.md), so it is a
    place to begin: measure with your own products before you buy.
    """
    from dataclasses import asdict

    from infra.sizing import Demand, plan
    from infra.sizing_limits import limits_of
    from scripts.plan_view import lines

    made = plan(Demand(events_per_day, peak_factor, photos, kept_days, calls))
    limits = limits_of(made)
    if as_json:
        totals = {"cores": made.cores, "memory_bytes": made.memory_bytes}
        print_json(asdict(made) | totals | {"limits": [asdict(limit) for limit in limits]})
        return
    for line in lines(made, limits):
        click.echo(line)
