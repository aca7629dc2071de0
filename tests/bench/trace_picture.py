"""The picture of a trace: a bar for each span, each process's together, and arrows where a topic lies between."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from tests.otlp import Seen

_PROCESSES: Final = {"gateway": "#4878a8", "classify": "#c8502d", "archive": "#6f9350"}
_INK: Final = "#2b3036"
_FAINT: Final = "#7d8b98"
_ROW_INCHES: Final = 0.28
_HEAD_INCHES: Final = 1.12
_FOOT_INCHES: Final = 0.62
_LEFT: Final = 0.245  # of the width: what the bars are called stands before them
_BAR: Final = 0.58
_GAP: Final = 0.55  # rows between two processes
_THINNEST: Final = 0.0025  # of the width, so that what takes no time is seen

Row = tuple[float, int, Seen]
"""Where a span is drawn, how far it is moved in, and the span."""


def draw(spans: Sequence[Seen], path: Path, said: str) -> None:
    """Draw a trace into a PNG.

    Args:
        spans: All of one trace; the first one began it.
        path: The file.
        said: A line below the title: where and when it was.
    """
    root, rows = spans[0], list(_rows(spans))
    width_ms, last = max(_ms(root, span.end_ns) for span in spans), rows[-1][0]
    height = _HEAD_INCHES + _FOOT_INCHES + _ROW_INCHES * (last + 1.5)
    figure = Figure(figsize=(12.5, height), facecolor="white")
    axes = figure.add_axes((_LEFT, _FOOT_INCHES / height, 0.985 - _LEFT, 1 - (_HEAD_INCHES + _FOOT_INCHES) / height))
    _frame(axes, last, width_ms)
    for name, colour in _PROCESSES.items():
        places = [place for place, _, span in rows if _process(span) == name]
        if places:
            _section(axes, places[0], places[-1], name, colour)
    for place, depth, span in rows:
        _row(axes, place, depth, span, (_ms(root, span.start_ns), _ms(root, span.end_ns)), width_ms)
    _hops(axes, rows, root)
    _moments(axes, spans, width_ms)
    figure.text(
        0.018,
        1 - 0.42 / height,
        "One product, from the HTTP request to MongoDB",
        fontsize=16,
        weight="bold",
        color=_INK,
    )
    figure.text(0.018, 1 - 0.70 / height, said, fontsize=10, color=_FAINT)
    figure.savefig(path, dpi=130)


def _frame(axes: Axes, last: float, width_ms: float) -> None:
    axes.set_xlim(-0.008 * width_ms, 1.075 * width_ms)
    axes.set_ylim(last + 0.75, -0.75)
    axes.set_yticks([])
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
    axes.tick_params(axis="x", colors=_FAINT, labelsize=9.5, length=0)
    axes.grid(axis="x", color="#e6eaee", linewidth=0.9)
    axes.set_axisbelow(True)
    axes.set_xlabel("ms since the request came in", fontsize=10, color=_FAINT)


def _section(axes: Axes, first: float, last: float, title: str, colour: str) -> None:
    """The band of a process, with its name at the side."""
    axes.axhspan(first - 0.5, last + 0.5, color=colour, alpha=0.055, zorder=0, linewidth=0)
    across = axes.get_yaxis_transform()
    left = -_LEFT / (0.985 - _LEFT)
    axes.fill_between(
        [left + 0.022, 0],
        first - 0.5,
        last + 0.5,
        color=colour,
        alpha=0.055,
        transform=across,
        clip_on=False,
        linewidth=0,
    )
    axes.plot(
        [left + 0.024] * 2,
        [first - 0.5, last + 0.5],
        color=colour,
        lw=4,
        transform=across,
        clip_on=False,
        solid_capstyle="butt",
    )
    axes.text(
        left + 0.042,
        (first + last) / 2,
        title,
        rotation=90,
        transform=across,
        ha="center",
        va="center",
        fontsize=10.5,
        weight="bold",
        color=colour,
    )


def _row(axes: Axes, place: float, depth: int, span: Seen, time_ms: tuple[float, float], width_ms: float) -> None:
    colour = _PROCESSES[_process(span)]
    start, end = time_ms
    length = max(end - start, _THINNEST * width_ms)
    axes.barh(place, length, _BAR, left=start, color=colour, alpha=0.4 if span.name.startswith("wait") else 1, zorder=3)
    took = axes.text(start + length + 0.006 * width_ms, place, _length(end - start), va="center", fontsize=9, zorder=5)
    took.set(color=_INK, path_effects=[withStroke(linewidth=3, foreground="white")])  # over the lines
    left = 0.066 - _LEFT / (0.985 - _LEFT) + 0.0135 * depth
    across = axes.get_yaxis_transform()
    weight = "bold" if depth == 0 else "normal"
    axes.text(left, place, span.name, transform=across, va="center", fontsize=9.8, color=_INK, weight=weight)


def _hops(axes: Axes, rows: Sequence[Row], root: Seen) -> None:
    """Arrows from what was sent by one process to what another made of it."""
    places = {span.span: (place, span) for place, _, span in rows}
    for place, depth, span in rows:
        if depth or span.parent not in places:
            continue
        above, sender = places[span.parent]
        start, left = _ms(root, span.start_ns), min(_ms(root, sender.end_ns), _ms(root, span.start_ns))
        axes.annotate(
            "",
            (start, place - _BAR / 2),
            (left, above + _BAR / 2),
            arrowprops={
                "arrowstyle": "-|>",
                "color": _FAINT,
                "lw": 1.1,
                "shrinkA": 0,
                "shrinkB": 0,
                "mutation_scale": 9,
            },
            zorder=2.5,
        )


def _moments(axes: Axes, spans: Sequence[Seen], width_ms: float) -> None:
    """When the caller had the answer, and when the store had it."""
    stored = [span.end_ns for span in spans if span.name == "update items"]
    moments = (("answered", spans[0].end_ns, "right"), ("stored", max(stored, default=0), "left"))
    for text, at_ns, side in moments:
        at = _ms(spans[0], at_ns)
        if 0 < at <= width_ms:
            axes.axvline(at, color=_INK, linewidth=1, linestyle=(0, (3, 3)), zorder=2)
            said = f" {text} after {at:.0f} ms "
            axes.text(at, -0.72, said, ha=side, va="bottom", fontsize=10, color=_INK)


def _rows(spans: Sequence[Seen]) -> Iterator[Row]:
    """The spans of each process, each behind the one that it is part of; of one, in the order that they began."""
    place = 0.0
    for process in _PROCESSES:
        own = sorted((span for span in spans if _process(span) == process), key=lambda span: span.start_ns)
        known = {span.span for span in own}
        for first in (span for span in own if span.parent not in known):
            for depth, span in _below(first, own, 0):
                yield place, depth, span
                place += 1
        place += _GAP if own else 0


def _below(span: Seen, spans: Sequence[Seen], depth: int) -> Iterator[tuple[int, Seen]]:
    yield depth, span
    for part in spans:
        if part.parent == span.span:
            yield from _below(part, spans, depth + 1)


def _process(span: Seen) -> str:
    return span.service.rpartition("-")[2]


def _length(took_ms: float) -> str:
    return f"{took_ms:.1f} ms" if took_ms >= 0.1 else f"{took_ms * 1000:.0f} µs"


def _ms(root: Seen, at_ns: int) -> float:
    return (at_ns - root.start_ns) / 1e6
