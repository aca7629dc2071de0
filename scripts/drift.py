"""``aisle drift``: whether products are other than they were."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scripts.columns import column_options, columns_of

if TYPE_CHECKING:
    from model.drift.compare import Drift
    from model.drift.samples import Answering
    from scripts.steps import Told

_PATH = click.Path(path_type=Path)


@click.group()
def command() -> None:
    """Tell whether products, and answers, are other than they were.

    The monitor (`aisle worker monitor`) does it with what is in service.
    """


@command.command()
@click.argument("reference", type=_PATH)
@click.argument("current", type=_PATH)
@click.option("--out", type=_PATH, default=Path("drift"), show_default=True, help="Folder for the page and its JSON.")
@click.option("--model", type=_PATH, help="Compare its answers too; default: AISLE_MODEL, else the champion.")
@click.option("--no-model", is_flag=True, help="Compare the products alone; takes less time.")
@column_options
@click.option("--rows", type=click.IntRange(min=50), default=20_000, show_default=True, help="Sample of each file.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of the samples.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def report(  # noqa: PLR0913 - click hands over one argument an option
    *,
    reference: Path,
    current: Path,
    out: Path,
    model: Path | None,
    no_model: bool,
    rows: int,
    seed: int,
    as_json: bool,
    **columns: str | None,
) -> None:
    """Compare the products of CURRENT with those of REFERENCE.

    Both are CSV, JSONL or Parquet; categories may be there or not. Compared
    are lengths, languages, photos, categories and, with a model, its answers
    to the texts. Writes drift.html and drift.json.
    """
    from infra.settings import load_settings
    from model.drift.compare import compare
    from model.drift.page import write_page
    from model.drift.samples import count_rows, sample
    from scripts.output import print_json
    from scripts.steps import steps_shown

    settings = load_settings()
    named = columns_of(columns)
    with steps_shown() as told:
        before, now = (
            sample(path, named, rows=rows, seed=seed, progress=_part(told, f"reading {what}"))
            for path, what in ((reference, "reference"), (current, "current"))
        )
        answering = None if no_model else _model(model or settings.model, settings.data_dir / "models", told)
        told("counting", 0.0)
        counted = count_rows(before, answering)
        told("counting", 0.5)
        drift = compare(counted, count_rows(now, answering), settings.drift_psi)
        told("counting", 1.0)
        if drift.columns:
            told("writing the page", 0.0)
            write_page(drift, out, settings.drift_psi)
            told("writing the page", 1.0)
    if as_json:
        page = out / "drift.html" if drift.columns else None
        print_json({"share": drift.share, "drifted": drift.drifted, "page": page} | drift.model_dump())
    else:
        _show(drift, out)


def _part(told: "Told", step: str) -> Callable[[float], None]:
    return lambda part: told(step, part)


def _model(named: Path | None, models_dir: Path, told: "Told") -> "Answering | None":
    """The bundle that was named, else the champion; None where there is none."""
    from model.champion import find_bundle
    from model.errors import NoChampion

    try:
        bundle = find_bundle(named, models_dir)
    except NoChampion as error:
        click.echo(f"the products are compared without a model's answers: {error.message}", err=True)
        return None
    told("loading the model", 0.0)
    from model.classifier import load_cascade
    from model.drift.samples import Answering

    manifest, cascade = load_cascade(bundle)
    told("loading the model", 1.0)
    return Answering([entry.code for entry in manifest.categories], cascade)


def _show(drift: "Drift", out: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("", "reference", "current", "PSI", "p", ""):
        table.add_column(heading, justify="left" if not heading else "right", no_wrap=True)
    for column in drift.columns:
        sizes = [f"{rows:,}" for rows in (column.reference, column.current)]
        table.add_row(column.name, *sizes, f"{column.psi:.3f}", f"{column.p_value:.3f}", column.level)
    Console(width=80).print(table)
    for name, why in drift.skipped.items():
        click.echo(f"{name} not compared: {why}")
    click.echo()
    if drift.columns:
        click.echo(f"{len(drift.drifted)} of {len(drift.columns)} columns have drifted; {out / 'drift.html'} shows how")
