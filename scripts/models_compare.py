"""``aisle models compare``: two models side by side."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from scripts.columns import column_options, columns_of
from scripts.output import print_json, printable

if TYPE_CHECKING:
    from model.compare import BundleComparison, OnData, RecallChange
    from model.report.schema import Interval
    from model.shadow import ShadowFigures

_SHOWN: Final = 10
_CODE_CHARS: Final = 12  # a longer code says what its label does
_METRICS: Final = ("accuracy", "weighted_f1", "macro_f1", "ece", "accepted_share", "accepted_precision", "test_rows")


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--data", type=click.Path(path_type=Path), help="Rows to ask both about.")
@column_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare(first: str, second: str, data: Path | None, as_json: bool, **columns: str | None) -> None:
    """Compare the models A and B.

    Each is as much of a version's beginning as no other has, `champion` or
    `challenger`. Of --data only the rows count that neither learned from.
    What B answered in the shadow of A is shown where there is any.
    """
    from infra.settings import load_settings
    from model.compare import compare_bundles
    from model.found import bundle_of
    from workers.promotion import look_up

    settings = load_settings()
    now = look_up(settings)
    paths = [bundle_of(settings.data_dir / "models", version, now.aliases) for version in (first, second)]
    found = compare_bundles(paths[0], paths[1])
    if data is not None:
        found.on_data = _on_data(paths[0], paths[1], data, columns)
    shadow = _shadow(paths[0].name, paths[1].name)
    if as_json:
        print_json({**found.model_dump(), "shadow": shadow and shadow.model_dump()})
        return
    for line in shown(found, shadow):
        click.echo(line)


def shown(found: "BundleComparison", shadow: "ShadowFigures | None") -> Iterator[str]:
    """The comparison as lines for a terminal."""
    first, second = found.first, found.second
    yield f"{'':18} {printable(first.version)[:22]:>22} {printable(second.version)[:22]:>22}"
    yield f"{'data':18} {printable(first.data_file)[:22]:>22} {printable(second.data_file)[:22]:>22}"
    yield _line("rows", first.data_rows, second.data_rows, ",")
    yield _line("categories", first.categories, second.categories, ",")
    yield _line("bundle, MB", first.bundle_bytes / 1e6, second.bundle_bytes / 1e6, ",.1f")
    for name in _METRICS:
        before, after = first.metrics.get(name), second.metrics.get(name)
        yield _line(name.replace("_", " "), before, after, ",.0f" if name == "test_rows" else ".4f")
    for stage in {**first.rows_per_s, **second.rows_per_s}:
        yield _line(f"{stage}, rows/s", first.rows_per_s.get(stage), second.rows_per_s.get(stage), ",.0f")
    yield ""
    which = "on the same test rows" if found.same_rows else "each on its own test rows, which differ"
    yield from _recalls(found.recalls, which)
    if found.on_data is not None:
        yield ""
        yield from _data(found.on_data)
    if shadow is not None:
        yield ""
        yield from _shadowed(shadow)


def _data(found: "OnData") -> Iterator[str]:
    one = found.comparison
    yield f"{printable(found.file)}: {one.rows:,} rows that neither learned from, {found.left_out:,} left out"
    for name, before, after, between in (
        ("accuracy", one.accuracy, one.own_accuracy, one.accuracy_difference),
        ("weighted F1", one.weighted_f1, one.own_weighted_f1, one.weighted_f1_difference),
    ):
        yield f"  {name:12} {before:.4f} → {after:.4f}, by {after - before:+.4f} ({_interval(between, '+.4f')})"
    if one.rows_per_s and one.own_rows_per_s:
        yield f"  {'rows/s':12} {one.rows_per_s:,.0f} → {one.own_rows_per_s:,.0f}"
    yield from _recalls(found.recalls, "on these rows")


def _recalls(changes: "list[RecallChange]", which: str) -> Iterator[str]:
    changed = [change for change in changes if change.change]
    if not changed:
        yield f"no category's recall differs, {which}" if changes else "no report of one says its recall by category"
        return
    yield f"recall, {which}:"
    for change in changed[:_SHOWN]:
        before, after = ("-" if value is None else f"{value:.3f}" for value in (change.first, change.second))
        label = printable(f"{change.code} {change.label}" if len(change.code) < _CODE_CHARS else change.label)
        yield f"  {label[:40]:40} {before:>6} → {after:>6}  {change.change:+.3f}  {change.rows:>6,} rows"
    if len(changed) > _SHOWN:
        yield f"  and {len(changed) - _SHOWN} more"


def _shadowed(found: "ShadowFigures") -> Iterator[str]:
    yield f"in the shadow: {found.products:,} products that both answered"
    yield f"  agreement    {found.agreement:.3f} ({_interval(found.agreement_interval, '.3f')})"
    yield (
        f"  confidence   {found.champion_confidence:.3f} → {found.challenger_confidence:.3f}, "
        f"by {found.confidence_shift:+.4f} ({_interval(found.shift_interval, '+.4f')})"
    )
    if (judged := found.judged) is None:
        yield "  accuracy     nobody has judged any of them yet"
        return
    yield (
        f"  accuracy     {judged.champion_accuracy:.3f} ({_interval(judged.champion_interval, '.3f')}) → "
        f"{judged.challenger_accuracy:.3f} ({_interval(judged.challenger_interval, '.3f')})"
    )
    yield (
        f"               by {judged.products:,} verdicts; only A is right on {judged.champion_only:,}, "
        f"only B on {judged.challenger_only:,}, p = {judged.p:.2g}"
    )


def _line(name: str, first: float | None, second: float | None, form: str) -> str:
    texts = ["-" if value is None else f"{value:{form}}" for value in (first, second)]
    change = "" if first is None or second is None else f"{second - first:+{form}}"
    return f"{name:18} {texts[0]:>22} {texts[1]:>22} {change:>14}".rstrip()


def _interval(found: "Interval", form: str) -> str:
    return f"{found.low:{form}} to {found.high:{form}}"


def _on_data(first: Path, second: Path, data: Path, columns: dict[str, str | None]) -> "OnData | None":
    from model.bundle import read_manifest
    from model.data.labelled import load_labelled
    from schemas.taxonomy import Taxonomy
    from scripts.steps import steps_shown

    shelves = {shelf.code: shelf for path in (first, second) for shelf in read_manifest(path).taxonomy}
    with steps_shown() as told:
        taxonomy = Taxonomy(tuple(shelves.values()))
        rows = load_labelled(data, columns_of(columns), taxonomy, lambda part: told("reading", part))
        told("measuring", 0.0)
        from model.compare import compare_on

        found = compare_on(first, second, rows)
        told("measuring", 1.0)
    for message in rows.problems.messages:
        click.echo(f"passed over: {message}", err=True)
    if found is None:
        click.echo(f"one of them learned from every row of {data}", err=True)
    return found


def _shadow(first: str, second: str) -> "ShadowFigures | None":
    """What the second answered in the shadow of the first; None where it did not, or no store answers."""
    from schemas.errors import AisleError
    from scripts.stored import opened_store
    from workers.shadow import shadow_figures

    async def read() -> "ShadowFigures | None":
        async with opened_store() as store:
            return await shadow_figures(store, first, second)

    try:
        return asyncio.run(read())
    except AisleError as error:
        click.echo(f"nothing of the shadow: {printable(error.message)}", err=True)
        return None
