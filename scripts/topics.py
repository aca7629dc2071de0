"""``aisle topics``: create and list the Kafka topics."""

import asyncio

import click

from scripts.output import print_json


@click.group()
def command() -> None:
    """Create and list the Kafka topics."""


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def create(as_json: bool) -> None:
    """Create the topics that are missing; leave the rest alone."""
    _run(create_missing=True, as_json=as_json)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """List the topics with their partitions."""
    _run(create_missing=False, as_json=as_json)


def _run(*, create_missing: bool, as_json: bool) -> None:
    from infra.endpoints import find_kafka
    from infra.kafka.clients import admin_client
    from infra.kafka.topics import TopicState, create_topics, topic_states
    from infra.settings import load_settings

    settings = load_settings()

    async def ask() -> list[TopicState]:
        async with admin_client(find_kafka(settings)) as admin:
            return await (create_topics(admin, settings) if create_missing else topic_states(admin))

    states = asyncio.run(ask())
    if as_json:
        print_json([{"name": s.name, "partitions": s.partitions, "created": s.created} for s in states])
        return
    for state in states:
        count = f"{state.partitions:>4} partitions" if state.partitions else "         missing"
        click.echo(f"{state.name:16}{count}  {'created' if state.created else '':8}{state.purpose}")
