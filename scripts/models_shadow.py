"""``aisle models shadow``: which model is tried beside the champion, on a sample of the products."""

import asyncio
from typing import TYPE_CHECKING

import click

from scripts.output import print_json, printable
from scripts.person import user_name

if TYPE_CHECKING:
    from infra.settings import Settings
    from schemas.model_event import ModelEvent

OFF = "off"


@click.command()
@click.argument("version", metavar="VERSION|off")
@click.option("--by", metavar="NAME", help="Who decides; default: your user name.")
@click.option("--why", metavar="TEXT", help="The reason, for the record.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def shadow(version: str, by: str | None, why: str | None, as_json: bool) -> None:
    """Try the model VERSION in the shadow of the champion, or none.

    Shadow workers (`aisle worker shadow`) score a sample of the products with
    it. It answers nobody; `aisle models compare champion challenger` shows
    what came of it.
    """
    from infra.endpoints import find_kafka
    from infra.model_events import put_in_shadow
    from infra.settings import load_settings

    settings = load_settings()
    event = None if version == OFF else _decision(settings, version, by or user_name(), why)
    stands = asyncio.run(put_in_shadow(find_kafka(settings), event)).tried
    if as_json:
        print_json({"challenger": stands and stands.model_dump(mode="json")})
    elif stands is None:
        click.echo("no model is in the shadow")
    else:
        click.echo(f"{printable(stands.model.name)} {stands.model.version} is in the shadow")
        click.echo("shadow workers score a sample with it; `aisle worker shadow` runs one")


def _decision(settings: "Settings", version: str, by: str, why: str | None) -> "ModelEvent":
    from model.champion import trial
    from model.found import bundle_of
    from workers.promotion import look_up

    now = look_up(settings)
    bundle = bundle_of(settings.data_dir / "models", version, now.aliases)
    return trial(bundle, now.event, by=by, why=why or "put by hand")
