"""``aisle models``: which models there are, which one is in service, and the way forth and back."""

from typing import TYPE_CHECKING

import click

from scripts.models_compare import compare
from scripts.models_registry import sync, ui
from scripts.models_shadow import shadow
from scripts.output import print_json, printable
from scripts.person import user_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.settings import Settings
    from schemas.model_event import ModelEvent
    from workers.promotion import InForce

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
by_option = click.option("--by", metavar="NAME", help="Who decides; default: your user name.")
why_option = click.option("--why", metavar="TEXT", help="The reason, for the record.")


@click.group()
def command() -> None:
    """Show models, put one in service, go back to the one before.

    The decision is a record on the topic models.events. Every worker takes
    the model over within seconds, without a restart.
    """


@command.command("list")
@as_json_option
def list_(as_json: bool) -> None:
    """List the models below the data directory, the newest first.

    A star marks the champion, < the version that a rollback returns to, and
    ? the challenger, which is tried in the shadow.
    """
    from infra.settings import load_settings
    from model.found import as_rows
    from scripts.models_view import shown
    from workers.promotion import look_up

    settings = load_settings()
    models_dir, now = settings.data_dir / "models", look_up(settings)
    rows = as_rows(models_dir, now.event, now.challenger)
    if as_json:
        print_json({"champion": now.event and now.event.model_dump(mode="json"), "models": rows})
    else:
        for line in shown(rows, now.event, now.challenger):
            click.echo(line)
    _say_source(now, settings)


@command.command()
@click.argument("version")
@as_json_option
def show(version: str, as_json: bool) -> None:
    """Show one model: data, stages, scores, and when it was decided for.

    VERSION may be as much of its beginning as no other has; `champion` names
    the one in force.
    """
    from infra.settings import load_settings
    from model.bundle import read_manifest
    from model.found import bundle_of, facts
    from scripts.models_view import details
    from workers.promotion import look_up

    settings = load_settings()
    now = look_up(settings)
    bundle = bundle_of(settings.data_dir / "models", version, now.aliases)
    manifest = read_manifest(bundle)
    found = facts(bundle, manifest, now.event, now.made)
    if as_json:
        print_json(found)
    else:
        for line in details(found):
            click.echo(line)
    _say_source(now, settings)


@command.command()
@click.argument("version")
@by_option
@why_option
@click.option("--previous", metavar="VERSION", help="Only if this is the champion until then.")
@as_json_option
def promote(*, version: str, by: str | None, why: str | None, previous: str | None, as_json: bool) -> None:
    """Put the model VERSION in service.

    VERSION may be as much of its beginning as no other has. The bundle is
    checked first, file by file.
    """
    from infra.settings import load_settings
    from model.champion import promotion
    from model.found import bundle_of
    from workers.promotion import put_in_force

    settings = load_settings()
    bundle = bundle_of(settings.data_dir / "models", version)

    def following(before: "ModelEvent | None", _made: "Mapping[str, ModelEvent]") -> "ModelEvent":
        _refuse_same(before, bundle.name)
        return promotion(bundle, before, by=by or user_name(), why=why or "promoted by hand", expected=previous)

    _say_done(put_in_force(settings, following), settings, as_json)


@command.command()
@by_option
@why_option
@as_json_option
def rollback(by: str | None, why: str | None, as_json: bool) -> None:
    """Go back to the version that was in service before.

    Rolled back twice, the first one is in service again; `promote` names any.
    """
    from infra.settings import load_settings
    from model.rollback import former
    from workers.promotion import put_in_force

    settings = load_settings()

    def following(before: "ModelEvent | None", made: "Mapping[str, ModelEvent]") -> "ModelEvent":
        return former(settings.data_dir / "models", before, made, by=by or user_name(), why=why)

    _say_done(put_in_force(settings, following), settings, as_json)


command.add_command(compare)
command.add_command(shadow)
command.add_command(sync)
command.add_command(ui)


def _refuse_same(before: "ModelEvent | None", version: str) -> None:
    from model.errors import PromotionRefused

    if before is not None and before.model.version == version:
        raise PromotionRefused(f"{version} is the champion already, by {before.by}: {before.why}.")


def _say_done(now: "InForce", settings: "Settings", as_json: bool) -> None:
    event = now.event
    if event is None:
        return
    if as_json:
        print_json({"published": now.untold is None, **event.model_dump(mode="json")})
    else:
        before = f", before it {event.previous}" if event.previous else ""
        click.echo(f"{printable(event.model.name)} {event.model.version} is the champion{before}")
        if now.untold is None:
            click.echo("published: workers take it over within seconds, as soon as it is loaded")
    _say_source(now, settings)
    if settings.mlflow_uri is not None:  # others look at a server; our own page is brought up to date when it opens
        from workers.registry import recorded

        if (why := recorded(settings, now)) is not None:
            click.echo(printable(why), err=True)


def _say_source(now: "InForce", settings: "Settings") -> None:
    """Say on standard error what limits the answer: no topic, or workers that do not listen."""
    if now.untold is not None:
        click.echo(f"only the pointer file says so: {now.untold}", err=True)
    if settings.model is not None:
        click.echo(f"AISLE_MODEL is set: workers with it serve {settings.model}, whatever is decided", err=True)
