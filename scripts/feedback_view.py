"""How a disagreement looks: a line for the product and one for each person, or JSON.

Titles, names and codes were written by somebody else.
"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from scripts.output import printable

if TYPE_CHECKING:
    from infra.feedback_log import Conflict, Opinion

_WIDTH = 80
_ID_CHARS = 18


def shown(conflict: "Conflict") -> list[str]:
    """A conflict as lines for a terminal."""
    item = conflict.item
    what = printable(item.title or item.product_id or "not archived yet")
    heading = f"{item.event_id[:_ID_CHARS]}  {what}"[:_WIDTH]
    width = max(len(printable(opinion.by)[:20]) for opinion in conflict.opinions)
    return [click.style(heading, bold=True), *(_line(opinion, width) for opinion in conflict.opinions)]


def as_json(conflict: "Conflict") -> dict[str, Any]:
    """A conflict as JSON can hold it."""
    return {**asdict(conflict.item), "opinions": [asdict(opinion) for opinion in conflict.opinions]}


def _line(opinion: "Opinion", width: int) -> str:
    at = opinion.at.astimezone().strftime("%Y-%m-%d %H:%M")
    mark = "*" if opinion.stands else " "
    name = printable(opinion.by)[:20]
    return f"{mark} {at}  {name:{width}}  {opinion.verdict:9}  {printable(opinion.code or '')}".rstrip()[:_WIDTH]
