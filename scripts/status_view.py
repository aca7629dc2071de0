"""How the status looks: 80 columns, whatever there is to say."""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain, repeat
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scripts.output import printable
from scripts.status_read import Behind, Found, Model, Process, Status, Stream

WIDTH: Final = 80

Line = tuple[str, Text]

_BEHIND: Final = 1_000
_SHOWN: Final = ("products.in", "predictions.out", "products.dlq", "feedback")


def picture(status: Status) -> RenderableType:
    """All of it, a line for each name."""
    table = Table(box=None, width=WIDTH, padding=(0, 1, 0, 0), show_header=False)
    table.add_column(width=11, no_wrap=True, style="bold")
    table.add_column(ratio=1, overflow="fold")
    for name, text in _lines(status):
        table.add_row(name, text)
    return table


def _lines(status: Status) -> Iterator[Line]:
    yield "aisle", Text(f"{status.at.astimezone():%Y-%m-%d %H:%M:%S}")
    yield from _model(status.model, status.at) if status.model else _away("model", status)
    yield from _stream(status.stream) if status.stream else _away("broker", status)
    yield from _found(status.found, status.at) if status.found else _away("store", status)
    yield from _processes(status.processes)


def _model(model: Model, now: datetime) -> Iterator[Line]:
    if model.version is None or model.decided_at is None:
        yield "model", Text("none: run `aisle train DATA`", "red")
    else:
        by = printable(model.by or "")
        yield "model", Text(f"{model.version}, in service for {_since(model.decided_at, now)}, by {by}")
    if model.challenger is not None:
        yield "shadow", Text(model.challenger)
    if model.untold is not None:
        yield "", Text(f"by the pointer file: {model.untold}", "yellow")


def _stream(stream: Stream) -> Iterator[Line]:
    rates = [Text(f"{stream.rates[topic]:9,.1f}/s {topic}") for topic in _SHOWN if topic in stream.rates]
    yield from _named("rate", rates or [Text("no topics: run `aisle topics create`", "red")])
    yield from _named("lag", [_lag(one) for one in stream.lags] or [Text("no group has done anything yet")])


def _lag(behind: Behind) -> Text:
    records = "unknown" if behind.records is None else f"{behind.records:,}"
    style = "yellow" if (behind.records or 0) > _BEHIND else ""
    return Text(f"{records:>9}   {behind.topic}, {behind.group}", style)


def _found(found: Found, now: datetime) -> Iterator[Line]:
    known, ages = found.figures, found.checked_at
    yield "accuracy", Text(_scores(known) + _ago(ages.get("accuracy"), now))
    drift = f"{known['drift_share']:.0%} of the columns" if "drift_share" in known else "not known yet"
    yield "drift", Text(drift + _ago(ages.get("drift"), now))
    if "canaries_sent" in known:
        right = f"{known.get('canaries_right', 0):.0f} of {known['canaries_sent']:.0f} right"
        yield "canaries", Text(right + _ago(ages.get("canary"), now))
    alerts = [Text(f"{name}: {printable(why)}", "red") for name, why in found.alerts.items()]
    yield from _named("alerts", alerts or [Text("none", "green")])


def _scores(known: dict[str, float]) -> str:
    if "accuracy" not in known:
        return f"too few verdicts: {known.get('verdicts', 0):.0f}"
    weighed = f", {known['weighed_accuracy']:.3f} of all answers" if "weighed_accuracy" in known else ""
    return f"{known['accuracy']:.3f} of {known['verdicts']:.0f} verdicts{weighed}"


def _processes(processes: list[Process]) -> Iterator[Line]:
    if not processes:
        yield "workers", Text("no `aisle up` runs in this data directory")
    for one in processes:
        state = ("ready", "green") if one.ready else ("not ready", "yellow")
        said = "; ".join(f"{name}: {printable(why)}" for name, why in (one.causes or one.details).items())
        yield one.name, Text.assemble(state, "; " if said else "", said)


def _away(part: str, status: Status) -> Iterator[Line]:
    yield part, Text(status.away.get(part, "away"), "red")


def _named(name: str, texts: list[Text]) -> Iterator[Line]:
    """Several lines, of which the first has the name."""
    return zip(chain([name], repeat("")), texts, strict=False)


def _since(then: datetime, now: datetime) -> str:
    seconds = max(0, (now - then).total_seconds())
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"


def _ago(then: datetime | None, now: datetime) -> str:
    return "" if then is None else f" ({_since(then, now)} ago)"
