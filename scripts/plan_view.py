"""How a plan looks on a terminal of 80 columns."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from infra.sizing import Plan
    from infra.sizing_limits import Limit

_WIDTH: Final = 80


def lines(plan: "Plan", limits: "Sequence[Limit]") -> Iterator[str]:
    """All of it, line by line."""
    yield _asked(plan)
    yield ""
    yield from _processes(plan)
    yield ""
    yield from _servers(plan)
    yield ""
    yield from _wrapped("chart", _values(plan))
    if limits:
        yield ""
        yield click.style("limits that this goes beyond", bold=True)
        for limit in limits:
            yield from _wrapped(limit.code, limit.why)


def _asked(plan: "Plan") -> str:
    demand = plan.demand
    rates = f"{_rate(plan.mean_per_s)} events/s, {_rate(plan.peak_per_s)} at the peak"
    return click.style(f"{demand.events_per_day:,} events a day", bold=True) + f": {rates}"


def _processes(plan: "Plan") -> Iterator[str]:
    from infra.sizing_limits import shown_bytes

    yield click.style(f"{'process':10} {'at the peak':>12} {'at the mean':>12} {'cores':>9} {'memory':>9}", bold=True)
    for part in plan.parts:
        memory = shown_bytes(part.replicas * part.memory_bytes)
        yield f"{part.name:10} {part.replicas:12,} {part.at_mean:12,} {part.replicas * part.cores:9,.0f} {memory:>9}"
    yield f"{'together':10} {'':12} {'':12} {plan.cores:9,.0f} {shown_bytes(plan.memory_bytes):>9}"


def _servers(plan: "Plan") -> Iterator[str]:
    from infra.sizing_limits import shown_bytes

    days = f"{plan.demand.kept_days:g} days"
    traffic = f"{shown_bytes(plan.broker_in_bytes_s)}/s in, {shown_bytes(plan.broker_out_bytes_s)}/s out"
    cores = f"{plan.broker_cores:,.0f} cores" if plan.broker_cores >= 1 else "less than a core"
    brokers = f"{plan.brokers:,}, together {cores} and {shown_bytes(plan.broker_bytes)} for {days}"
    for name, said in (
        ("topics", f"{plan.partitions:,} partitions, 3 copies"),
        ("brokers", brokers),
        ("", traffic),
        ("store", f"{_number(plan.shards, 'replica set')}, {shown_bytes(plan.store_bytes)} a copy for {days}"),
        ("", f"{_rate(plan.store_writes_s)} upserts/s, each acknowledged by a majority"),
        ("photos", shown_bytes(plan.photo_bytes) if plan.photo_bytes else "none"),
        ("review", f"{plan.reviews_per_day:,.0f} answers a day: work for {plan.reviewers:,}"),
    ):
        yield f"{name:10} {said}"


def _values(plan: "Plan") -> str:
    classify, archive, gateway = plan.parts[:3]
    return (
        f"kafka.partitions={plan.partitions}, "
        f"autoscaling.classify.min={classify.at_mean}, autoscaling.classify.max={classify.replicas}, "
        f"autoscaling.archive.min={archive.at_mean}, autoscaling.archive.max={archive.replicas}, "
        f"gateway.replicas={gateway.replicas}; two of each where one may fail"
    )


def _wrapped(name: str, text: str) -> Iterator[str]:
    first, *rest = textwrap.wrap(text, _WIDTH - 11, break_on_hyphens=False)
    yield f"{name:10} {first}" if len(name) <= 10 else name
    if len(name) > 10:
        rest = [first, *rest]
    for line in rest:
        yield f"{'':10} {line}"


def _number(count: int, of: str) -> str:
    return f"{count:,} {of}" if count == 1 else f"{count:,} {of}s"


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
