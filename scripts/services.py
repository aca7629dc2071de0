"""``aisle services``: the local broker and store, without workers."""

from typing import TYPE_CHECKING, Any

import click

from scripts.output import print_json

if TYPE_CHECKING:
    from infra.local.state import RunState
    from infra.settings import Settings

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def command() -> None:
    """Start, stop and show the local Kafka and document store."""


@command.command()
@as_json_option
def up(as_json: bool) -> None:
    """Start the services in the background; running ones stay as they are."""
    from infra.local.services import LocalServices
    from infra.settings import load_settings

    settings = load_settings()
    services = LocalServices(settings, say=lambda line: click.echo(line, err=True))
    services.start()
    _show(settings, services.status(), as_json=as_json)


@command.command()
@as_json_option
def down(as_json: bool) -> None:
    """Stop the services; `aisle down` also stops a running `aisle up`."""
    from infra.local.services import LocalServices
    from infra.local.state import UP, read_state
    from infra.settings import load_settings
    from infra.stack import already_up

    settings = load_settings()
    if (state := read_state(settings.data_dir, UP)) is not None:
        raise already_up(state, settings)
    stopped = LocalServices(settings).stop()
    if as_json:
        print_json({"stopped": stopped})
    else:
        click.echo(f"stopped {', '.join(stopped)}" if stopped else "no service was running")


@command.command()
@as_json_option
def status(as_json: bool) -> None:
    """Show what runs, and where."""
    from infra.local.services import LocalServices
    from infra.settings import load_settings

    settings = load_settings()
    _show(settings, LocalServices(settings).status(), as_json=as_json)


def _show(settings: "Settings", running: "dict[Any, RunState]", *, as_json: bool) -> None:
    rows = {name: _row(name, settings, running) for name in ("kafka", "docstore")}
    if as_json:
        print_json(rows)
        return
    for name, row in rows.items():
        pid = f"pid {row['pid']}" if row["pid"] else ""
        click.echo(f"{name:9} {row['kind']:11} {pid:12} {row['address'] or ''}".rstrip())


def _row(name: str, settings: "Settings", running: "dict[Any, RunState]") -> dict[str, Any]:
    named = settings.kafka_bootstrap if name == "kafka" else settings.mongodb_uri or settings.mongodb_uri_file
    if named:  # a SecretStr masks itself: a URI may hold a password
        return {"kind": "configured", "address": str(named), "ports": {}, "pid": None}
    if (state := running.get(name)) is None:
        return {"kind": "stopped", "address": None, "ports": {}, "pid": None}
    return {"kind": state.kind, "address": state.address, "ports": state.ports, "pid": state.pid}
