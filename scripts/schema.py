"""``aisle schema``: the contracts of topics and API, metrics and commands, for machines and for the documentation."""

import click

from scripts.output import print_json


@click.group()
def command() -> None:
    """Print the contracts of topics and API, and the reference pages.

    AsyncAPI names every topic with its messages, headers and keys; the JSON
    Schemas are those of the values alone; OpenAPI has every HTTP call. `cli`,
    `topics` and `http` print pages of the documentation, as Markdown.
    """


@command.command()
def asyncapi() -> None:
    """Print the AsyncAPI 3.0 document of all topics."""
    from schemas.asyncapi import asyncapi as document

    print_json(document())


@command.command("json")
@click.argument("name", required=False)
def json_(name: str | None) -> None:
    """Print the JSON Schema of the value NAME, or of all.

    Names are those of AsyncAPI: Product, Prediction, Feedback and so on.
    """
    from schemas.asyncapi import json_schemas

    schemas = json_schemas()
    if name is not None and name not in schemas:
        raise click.UsageError(f"There is no {name!r}; there are {', '.join(sorted(schemas))}.")
    chosen = {"$ref": f"#/components/schemas/{name}"} if name is not None else {}
    print_json(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **chosen, "components": {"schemas": schemas}}
    )


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def metrics(as_json: bool) -> None:
    """Print the table of all metrics, as Markdown."""
    from dataclasses import asdict

    from infra.metrics.catalogue import catalogue

    if as_json:
        print_json([asdict(one) | {"unit": one.unit} for one in catalogue()])
        return
    click.echo("| name | type | labels | unit | processes | what it says |\n|---|---|---|---|---|---|")
    for one in catalogue():
        labels = ", ".join(f"`{label}`" for label in one.labels)
        click.echo(
            f"| `{one.name}` | {one.kind} | {labels} | {one.unit} | {', '.join(one.processes)} | {one.meaning} |"
        )


@command.command()
def openapi() -> None:
    """Print the OpenAPI 3.1 document of the HTTP API."""
    from workers.gateway.document import openapi as document

    print_json(document())


@command.command()
def cli() -> None:
    """Print the page of all commands and their options, as Markdown."""
    from scripts.cli import cli as root
    from scripts.reference import cli_page

    click.echo("\n".join(cli_page(root, "aisle")).rstrip())


@command.command()
def topics() -> None:
    """Print the page of all topics and their values, as Markdown."""
    from schemas.asyncapi import asyncapi as document
    from scripts.reference import topics_page

    click.echo("\n".join(topics_page(document())).rstrip())


@command.command()
def http() -> None:
    """Print the page of all calls of the HTTP API, as Markdown."""
    from scripts.reference import http_page
    from workers.gateway.document import openapi as document

    click.echo("\n".join(http_page(document())).rstrip())
