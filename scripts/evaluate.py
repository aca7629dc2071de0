"""``aisle evaluate``: how good a model is on data, alone or beside the baseline."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scripts.columns import column_options, columns_of

if TYPE_CHECKING:
    from model.comparison import Measured

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("bundle", type=_PATH)
@click.argument("data", type=_PATH)
@column_options
@click.option("--baseline", is_flag=True, help="Compare with TF-IDF + LinearSVC, quality and speed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(bundle: Path, data: Path, baseline: bool, as_json: bool, **columns: str | None) -> None:
    """Measure BUNDLE on the rows of DATA it did not learn from.

    The file that a model was trained on yields its own test side. The
    baseline is fitted on the training side, and both speeds are measured in
    turns in this one run.
    """
    from model.bundle import read_manifest
    from model.data.labelled import load_labelled
    from scripts.output import print_json
    from scripts.steps import steps_shown

    manifest = read_manifest(bundle)
    with steps_shown() as told:
        rows = load_labelled(data, columns_of(columns), manifest.taxonomy, lambda part: told("reading", part))
        told("measuring", 0.0)
        from model.comparison import measure

        measured = measure(bundle, rows, baseline=baseline)
    for message in rows.problems.messages:
        click.echo(f"passed over: {message}", err=True)
    if as_json:
        lines = [line.model_dump() for line in measured.lines]
        evaluation = measured.evaluation.model_dump(exclude={"confusion"})
        print_json({"model": manifest.ref.model_dump(), "left_out": measured.left_out, "lines": lines, **evaluation})
    else:
        _show(measured, data)


def _show(measured: "Measured", data: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    manifest, scores = measured.manifest, measured.evaluation
    same = measured.left_out > 0
    click.echo(f"{manifest.name} {manifest.version} on {data}")
    click.echo(
        f"{scores.rows:,} rows"
        + (f"; {measured.left_out:,} that the model learned from, by their titles, are left out" if same else "")
    )
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("", no_wrap=True)
    speeds = [f"rows/s, {rows}" for rows in measured.lines[0].rows_per_s]
    for heading in ("accuracy", "F1 weighted", "F1 macro", *speeds):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in measured.lines:
        figures = [f"{value:.4f}" for value in (line.accuracy, line.weighted_f1, line.macro_f1)]
        table.add_row(line.name, *figures, *(f"{speed:,.0f}" for speed in line.rows_per_s.values()))
    click.echo()
    Console(width=80).print(table)
    click.echo()
    click.echo(
        f"calibration error {scores.ece:.3f}; {scores.accepted_share:.0%} need no review, "
        f"{scores.accepted_precision:.1%} of them right"
    )
