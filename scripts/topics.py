"""``aisle topics``: create, list and grow the Kafka topics."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from schemas.topics import TOPICS
from scripts.output import print_json

if TYPE_CHECKING:
    from aiokafka.admin import AIOKafkaAdminClient

    from infra.settings import Settings

_T = TypeVar("_T")


@click.group()
def command() -> None:
    """Create, list and grow the Kafka topics."""


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def create(as_json: bool) -> None:
    """Create the topics that are missing; leave the rest alone."""
    _show_states(create_missing=True, as_json=as_json)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """List the topics with their partitions."""
    _show_states(create_missing=False, as_json=as_json)


@command.command()
@click.argument("topics", nargs=-1, metavar="[TOPIC]...", type=click.Choice([spec.name for spec in TOPICS]))
@click.option("--partitions", type=click.IntRange(min=1), help="Partitions to have; else AISLE_TOPIC_PARTITIONS.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def grow(topics: tuple[str, ...], partitions: int | None, dry_run: bool, as_json: bool) -> None:
    """Give each TOPIC more partitions; without one, products.in and feedback.

    The topics that answer it grow first. Workers go on, and notice within
    seconds. Interrupted, run it again. No topic can shrink.

    Keys are spread anew: order per key holds among the records published
    before the growth and among those after it, not between them.
    """
    from infra.kafka.topics import Growth, grow_topics, plan_growth, topic_states

    async def ask(admin: "AIOKafkaAdminClient", settings: "Settings") -> list[Growth]:
        steps = plan_growth(await topic_states(admin), partitions or settings.topic_partitions, topics)
        if not dry_run:
            await grow_topics(admin, steps)
        return steps

    steps = _with_admin(ask)
    grown = [step for step in steps if step.wanted > step.partitions]
    if as_json:
        print_json([{"name": s.name, "before": s.partitions, "partitions": s.wanted} for s in steps])
    else:
        for step in steps:
            note = f"{step.partitions} before" if step in grown else "nothing to do"
            click.echo(f"{step.name:16}{step.wanted:>4} partitions  {note}")
    if dry_run:
        click.echo("dry run: nothing was changed", err=True)
    if grown:
        click.echo("keys are spread anew: order per key holds for what is published after the growth", err=True)


def _show_states(*, create_missing: bool, as_json: bool) -> None:
    from infra.kafka.topics import TopicState, create_topics, topic_states

    async def ask(admin: "AIOKafkaAdminClient", settings: "Settings") -> list[TopicState]:
        return await (create_topics(admin, settings) if create_missing else topic_states(admin))

    states = _with_admin(ask)
    if as_json:
        print_json([{"name": s.name, "partitions": s.partitions, "created": s.created} for s in states])
        return
    for state in states:
        count = f"{state.partitions:>4} partitions" if state.partitions else "         missing"
        click.echo(f"{state.name:16}{count}  {'created' if state.created else '':8}{state.purpose}")


def _with_admin(ask: Callable[["AIOKafkaAdminClient", "Settings"], Awaitable[_T]]) -> _T:
    from infra.endpoints import find_kafka
    from infra.kafka.clients import admin_client
    from infra.settings import load_settings

    settings = load_settings()

    async def asked() -> _T:
        async with admin_client(find_kafka(settings)) as admin:
            return await ask(admin, settings)

    return asyncio.run(asked())
