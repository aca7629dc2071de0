"""``aisle replay compare``: what would change if another model had answered."""

import asyncio
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from infra.spreadsheet import inert
from scripts.output import print_json, printable

if TYPE_CHECKING:
    from model.what_if import WhatIfReport
    from workers.replays import Comparison

_SHOWN: Final = 10
_COLUMNS: Final = ("event_id", "product_id", "title", "before", "sure", "after", "after_sure", "truth")


@click.command()
@click.argument("first", metavar="ID")
@click.argument("second", metavar="[OTHER]", required=False)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Where the page and the CSV go; default: beside the replay."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare(first: str, second: str | None, out: Path | None, *, as_json: bool) -> None:
    """Say what would change, by a replay with --model.

    Its answers stand beside those that the products have; with OTHER, beside
    those of that replay. A page with plots (what-if.html), the figures
    (what-if.json) and a row for each product (what-if.csv) are written.
    """
    from infra.settings import load_settings
    from model.report.what_if_page import what_if_page
    from model.what_if import report_of
    from scripts.errors import NothingToCompare
    from streams.replay.checkpoint import Replays

    settings = load_settings()
    replays = Replays(settings.data_dir)
    names = [replays.read(name).id for name in (first, second) if name is not None]
    found = asyncio.run(_compared(*names))
    report = report_of(_said(found.first), found.second, found.compared)
    if report is None:
        raise NothingToCompare("No product of the replay has another answer.")
    folder = out or settings.data_dir / "replays" / names[-1]
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("what-if.html", "what-if.json"):  # by the rows is found what to forget: no page without all of them
        (folder / name).unlink(missing_ok=True)
    _write_rows(folder / "what-if.csv", found)
    (folder / "what-if.json").write_text(report.model_dump_json(indent=1), encoding="utf-8")
    (folder / "what-if.html").write_text(what_if_page(report, found.labels, names[-1]), encoding="utf-8")
    if as_json:
        print_json({**report.model_dump(), "unanswered": found.unanswered, "by_people": found.by_people})
        return
    for line in shown(report, found):
        click.echo(line)
    click.echo(f"{folder / 'what-if.html'}")


async def _compared(first: str, second: str | None = None) -> "Comparison":
    from scripts.stored import opened_store
    from workers.replays import compare_replays, compare_with_answers

    async with opened_store() as store:
        if second is None:
            return await compare_with_answers(store, first)
        return await compare_replays(store, first, second)


def shown(report: "WhatIfReport", found: "Comparison") -> Iterator[str]:
    """The figures as lines for a terminal of 80 columns."""
    yield f"{report.products:,} products, answered by {printable(report.first)[:50]}"
    yield f"  agreement    {report.agreement:.1%}, with {printable(report.second)[:50]}"
    yield f"  confidence   {report.sure:.3f} → {report.after_sure:.3f} on average"
    if (judged := report.judged) is None:
        yield "  accuracy     nobody has judged any of them yet"
    else:
        yield (
            f"  accuracy     {judged.champion_accuracy:.1%} → {judged.challenger_accuracy:.1%} "
            f"of {judged.products:,} that people judged, p = {judged.p:.2g}"
        )
    if found.by_people:
        yield f"  left out     {found.by_people:,} that a person had decided"
    if found.unanswered:
        yield f"  left out     {found.unanswered:,} without another answer"
    for flow in report.flows[:_SHOWN]:
        before, after = (printable(found.labels.get(code, code)) for code in (flow.before, flow.after))
        yield f"  {flow.products:>7,}  {before[:32]:32} → {after[:32]}"
    if len(report.flows) > _SHOWN:
        yield f"  and {len(report.flows) - _SHOWN:,} more ways"


def _write_rows(path: Path, found: "Comparison") -> None:
    """A row for each product; no cell can be taken for a formula."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for one in found.compared:
            writer.writerow(inert(getattr(one, name)) for name in _COLUMNS)


def _said(versions: list[str]) -> str:
    if len(versions) <= 2:
        return " and ".join(versions) or "nothing"
    return f"{versions[0]} and {len(versions) - 1} other versions"
