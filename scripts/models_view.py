"""How models look: a line each, or all there is to know of one."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from schemas.model_event import ModelEvent
from scripts.output import printable

_WIDTH: Final = 80
_HEAD: Final = f"  {'version':22}  {'name':12}  {'made':16}  {'rows':>8}  {'F1':>5}"


def shown(
    rows: Sequence[Mapping[str, Any]], champion: ModelEvent | None, challenger: ModelEvent | None = None
) -> Iterator[str]:
    """Rows as lines for a terminal, and the decision in force below."""
    if rows:
        yield _HEAD
    for row in rows:
        mark = {"champion": "*", "previous": "<"}.get(row["state"], " ")
        mark = "?" if row["challenger"] and mark != "*" else mark
        if "broken" in row:
            yield f"{mark} {printable(row['version']):22}  {printable(row['broken'])}"[:_WIDTH]
            continue
        score = row["metrics"].get("weighted_f1")
        yield (
            f"{mark} {printable(row['version'])[:22]:22}  {printable(row['name'])[:12]:12}  {_time(row['made'])}  "
            f"{row['rows']:>8,}  {'' if score is None else f'{score:.3f}':>5}"
        )
    if champion is None:
        yield "no model is in service; run `aisle train DATA`"
        return
    yield ""
    yield from _decision(champion)
    if not any(row["state"] == "champion" for row in rows):
        yield f"it is not here, but at {printable(champion.bundle_uri)}"
    if challenger is not None:
        yield f"in the shadow: {challenger.model.version}, by {printable(challenger.by)}: {printable(challenger.why)}"


def details(found: Mapping[str, Any]) -> Iterator[str]:
    """What is known of one model as lines for a terminal."""
    data = found["data"]
    yield f"{printable(found['name'])} {found['version']}{', ' + found['state'] if found['state'] else ''}"
    yield f"  made        {_time(datetime.fromisoformat(found['created_at']))}, seed {found['seed']}"
    yield (
        f"  data        {printable(data['file'])}: {data['rows']:,} rows in {found['categories']} categories, "
        f"{data['test']:,} to test"
    )
    for stage in found["tried"]:
        yield f"  stage       {stage['name']}: {'kept' if stage['kept'] else 'left out'}, {stage['why']}"
    for name, value in found["metrics"].items():
        yield f"  {name.replace('_', ' '):20}{value:>8,.4g}"
    yield f"  bundle      {found['bundle']}, {found['bytes'] / 1e6:,.0f} MB"
    yield f"  sha256      {found['sha256']}"
    if found["decision"] is not None:
        yield from _decision(ModelEvent.model_validate(found["decision"]))


def _decision(event: ModelEvent) -> Iterator[str]:
    yield f"decision {event.sequence}: {event.model.version}, {_time(event.at)}"
    yield f"  by {printable(event.by)}: {printable(event.why)}"
    if event.previous:
        yield f"  before it {event.previous}"


def _time(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M")
