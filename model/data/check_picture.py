"""The picture of a data check: categories, lengths, languages, and what is missing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from model.data.checked import DataCheck, FileCheck, Lengths
from model.data.photo_files import UNUSABLE

MAX_CLASSES: Final = 40
"""More categories than this are drawn as one bar for the rest."""

_MAX_LANGUAGES = 8
_RARE = 0.005  # a guess that names a language this seldom is mostly wrong
_MAX_LABEL_CHARS = 34
_DPI = 110
_COLOURS = ("#1f5f99", "#b3541e", "#3f8f5f", "#8a5aa8", "#8c8c32", "#555555")


def draw_check(check: DataCheck, path: Path) -> None:
    """Draw a check of one file or several as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    bars = min(len(_totals(check.files)), MAX_CLASSES + 1)
    figure = Figure(figsize=(12, max(6.0, 1.6 + 0.27 * bars)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplot_mosaic(
        [["classes", "words", "chars"], ["classes", "languages", "missing"]], width_ratios=[1.3, 1, 1]
    )
    _draw_classes(axes["classes"], check.files)
    _draw_lengths(axes["words"], check.files, [file.title_words for file in check.files], "words of a title")
    chars = [file.description_chars for file in check.files]
    _draw_lengths(axes["chars"], check.files, chars, "characters of a description")
    _draw_languages(axes["languages"], check.files)
    _draw_missing(axes["missing"], check.files)
    rows = sum(file.rows for file in check.files)
    figure.suptitle(f"{', '.join(_name(file) for file in check.files)}: {rows:,} rows", fontsize=11)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=_DPI)


def _totals(files: Sequence[FileCheck]) -> dict[str, int]:
    """Rows of each category over all files, by label, the most frequent first."""
    totals: dict[str, int] = {}
    for file in files:
        for count in file.classes:
            totals[count.label] = totals.get(count.label, 0) + count.rows
    return dict(sorted(totals.items(), key=lambda item: -item[1]))


def _draw_classes(axes: Any, files: Sequence[FileCheck]) -> None:
    totals = _totals(files)
    shown = list(totals)[:MAX_CLASSES]
    rest = len(totals) - len(shown)
    labels = [_short(label) for label in shown] + ([f"{rest} others"] if rest else [])
    left = [0.0] * len(labels)
    for file, colour in _coloured(files):
        rows = {count.label: count.rows for count in file.classes}
        widths: list[float] = [rows.get(label, 0) for label in shown]
        widths += [sum(rows.values()) - sum(widths)] if rest else []
        axes.barh(range(len(labels)), widths, left=left, color=colour, label=_name(file))
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    axes.invert_yaxis()
    axes.set_title("rows of each category" if labels else "no categories", fontsize=10)
    axes.margins(y=0.01)
    if len(files) > 1:
        axes.legend(fontsize=8, loc="lower right")


def _draw_lengths(axes: Any, files: Sequence[FileCheck], lengths: Sequence[Lengths | None], what: str) -> None:
    for (file, colour), found in zip(_coloured(files), lengths, strict=True):
        if found is not None:
            shares = [count / max(sum(found.counts), 1) for count in found.counts]
            axes.stairs(shares, found.edges, color=colour, fill=len(files) == 1, label=_name(file))
    axes.set_title(what, fontsize=10)
    axes.set_ylabel("share", fontsize=8)
    axes.tick_params(labelsize=8)


def _draw_languages(axes: Any, files: Sequence[FileCheck]) -> None:
    order: dict[str, float] = {}
    for file in files:
        for language, share in file.languages.items():
            order[language] = max(order.get(language, 0.0), share)
    names = sorted((name for name in order if order[name] >= _RARE), key=lambda name: -order[name])[:_MAX_LANGUAGES]
    _draw_shares(axes, files, names, [[file.languages.get(name, 0.0) for name in names] for file in files])
    axes.set_title("languages, guessed", fontsize=10)


def _draw_missing(axes: Any, files: Sequence[FileCheck]) -> None:
    names = ["title", "description", "image"]
    values = [[file.missing.get(name, 0) / max(file.rows, 1) for name in names] for file in files]
    broken = [sum(rows for state, rows in file.photos.items() if state in UNUSABLE) for file in files]
    for shares, file, rows in zip(values, files, broken, strict=True):
        shares.append(rows / max(file.rows, 1))
    _draw_shares(axes, files, ["no title", "no\ndescription", "no photo", "photo\nunusable"], values)
    axes.set_title("missing", fontsize=10)


def _draw_shares(
    axes: Any, files: Sequence[FileCheck], names: Sequence[str], values: Sequence[Sequence[float]]
) -> None:
    width = 0.8 / len(files)
    for place, ((file, colour), shares) in enumerate(zip(_coloured(files), values, strict=True)):
        at = [number - 0.4 + (place + 0.5) * width for number in range(len(names))]
        axes.bar(at, [100 * share for share in shares], width, color=colour, label=_name(file))
    axes.set_xticks(range(len(names)), names, fontsize=8)
    axes.set_ylabel("% of rows", fontsize=8)
    axes.set_ylim(0, 100)
    axes.tick_params(axis="y", labelsize=8)


def _coloured(files: Sequence[FileCheck]) -> list[tuple[FileCheck, str]]:
    return [(file, _COLOURS[place % len(_COLOURS)]) for place, file in enumerate(files)]


def _name(file: FileCheck) -> str:
    return Path(file.path).name


def _short(label: str) -> str:
    return label if len(label) <= _MAX_LABEL_CHARS else label[: _MAX_LABEL_CHARS - 1] + "…"
