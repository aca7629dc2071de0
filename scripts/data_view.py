"""What ``aisle data`` shows of a check and of a split, 80 columns wide."""

from typing import TYPE_CHECKING

import click

from scripts.output import printable

if TYPE_CHECKING:
    from rich.table import Table

    from model.data.checked import DataCheck, FileCheck, Leak, Lengths
    from model.data.parts import Parts

_WIDTH = 80
_BAR = 26
_MAX_CLASSES = 40
_LABEL = 38
_RARE = 0.005  # a guess that names a language this seldom is mostly wrong


def show_check(check: "DataCheck") -> None:
    """Print every file, the leaks, and what to look at."""
    for number, file in enumerate(check.files):
        if number:
            click.echo()
        _show_file(file)
    if len(check.files) > 1:
        _show_leaks(check.leaks)
    click.echo()
    if not check.findings:
        click.secho("nothing wrong was found", bold=True)
        return
    click.secho("to look at", bold=True)
    for finding in check.findings:
        click.echo(_wrapped(finding))


def show_parts(parts: "Parts") -> None:
    """Print what a split made."""
    total = sum(rows.total() for rows in parts.rows.values())
    table = _table("part", "rows", "share", "categories")
    for part, rows in parts.rows.items():
        table.add_row(part, f"{rows.total():,}", f"{rows.total() / max(total, 1):.1%}", str(len(set(rows) - {""})))
    _print(table)
    click.echo()
    for file in parts.files.values():
        click.echo(file)
    if parts.photos:
        click.echo(f"{parts.photos:,} photos beside them")


def _show_file(file: "FileCheck") -> None:
    click.secho(f"{printable(file.path)}  {file.rows:,} rows", bold=True)
    if file.classes:
        click.echo()
        _show_classes(file)
    click.echo()
    _show_texts(file)
    _show_titles(file)
    if file.photos:
        counts = ", ".join(f"{rows:,} {state}" for state, rows in file.photos.items())
        _say("photos", counts)
        for name, state in file.photo_examples.items():
            _say("", f"{printable(name)}: {state}")


def _show_classes(file: "FileCheck") -> None:
    most = file.classes[0].rows
    table = _table("", "category", "rows", "share", "")
    for count in file.classes[:_MAX_CLASSES]:
        bar = "█" * max(1, round(_BAR * count.rows / most))
        code = count.category if count.category != count.label else ""
        label = printable(count.label)
        label = label if len(label) <= _LABEL else label[: _LABEL - 1] + "…"
        table.add_row(code, label, f"{count.rows:,}", f"{count.rows / file.rows:.1%}", bar)
    _print(table)
    rest = file.classes[_MAX_CLASSES:]
    if rest:
        click.echo(f"and {len(rest)} more with {sum(count.rows for count in rest):,} rows")


def _show_texts(file: "FileCheck") -> None:
    languages = ", ".join(f"{language} {share:.0%}" for language, share in file.languages.items() if share >= _RARE)
    sampled = f" (guessed, {file.language_sample:,} rows)" if file.language_sample < file.rows else " (guessed)"
    _say("languages", languages + sampled)
    missing = ", ".join(
        f"{name if name != 'image' else 'photo'} {rows / max(file.rows, 1):.0%}" for name, rows in file.missing.items()
    )
    _say("missing", missing)
    _say("title", _lengths(file.title_words, "words"))
    _say("description", _lengths(file.description_chars, "characters"))


def _show_titles(file: "FileCheck") -> None:
    share = file.same_title / max(file.rows, 1)
    _say(
        "same title",
        f"{file.same_title:,} rows ({share:.1%}); {file.near_title:,} more in nearly the same words; "
        f"{file.repeated:,} repeat a whole row",
    )
    _say("conflicts", f"{file.conflicts:,} titles in several categories, {file.conflicting_rows:,} rows")
    for conflict in file.conflict_examples:
        found = ", ".join(f"{rows} in {category}" for category, rows in conflict.categories.items())
        title = printable(conflict.title)
        room = max(20, _WIDTH - 16 - len(found))
        _say("", f"{title if len(title) <= room else title[: room - 1] + '…'}: {found}")


def _show_leaks(leaks: "list[Leak]") -> None:
    from pathlib import Path

    click.echo()
    click.secho("the same title in two files", bold=True)
    table = _table("in", "also in", "rows", "share", "nearly")
    for leak in leaks:
        names = printable(Path(leak.target).name), printable(Path(leak.source).name)
        table.add_row(*names, f"{leak.rows:,}", f"{leak.share:.1%}", f"{leak.near:,}")
    _print(table)


def _lengths(lengths: "Lengths | None", unit: str) -> str:
    if lengths is None:
        return "none"
    usual = f"{lengths.p5:,.0f} to {lengths.p95:,.0f}"
    return f"{lengths.median:,.0f} {unit} (median; {usual} for nine of ten, {lengths.longest:,} at most)"


def _say(what: str, text: str) -> None:
    click.echo(_wrapped(text, f"{what:12}"))


def _wrapped(text: str, first: str = "  ") -> str:
    import textwrap

    rest = " " * len(first)
    return textwrap.fill(text, _WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def _table(*headings: str) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in headings:
        right = heading in {"rows", "share", "categories", "nearly"}
        table.add_column(heading, justify="right" if right else "left", no_wrap=True, overflow="ellipsis")
    return table


def _print(table: "Table") -> None:
    from rich.console import Console

    Console(width=_WIDTH, highlight=False, markup=False).print(table)
