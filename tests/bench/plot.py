"""The picture of a result: rates, CPU by part, latency, and workers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.bench.stream_throughput import AISLE

_OURS: Final = "#c8502d"
_OTHERS: Final = "#8a9aa8"
_PARTS: Final = {
    "fetch": "#4878a8",
    "decode": "#f0cf8a",
    "validate": "#e0a43c",
    "model": "#c8502d",
    "encode": "#7a9a4e",
    "produce": "#8465a0",
    "broker": "#b8bfc6",
}
_MODES: Final = {
    "intake": "intake alone",
    "answers": "answered without a model, deliveries awaited",
    "classify": "classified, deliveries awaited",
}


def draw(result: Mapping[str, Any], path: Path) -> None:
    """Draw what the result has into a PNG."""
    figure = Figure(figsize=(13, 11), layout="constrained")
    axes = figure.subplots(3, 2)
    if "throughput" in result:
        for axis, mode in zip(axes.flat, result["throughput"], strict=False):
            _rates(axis, result["throughput"][mode], _MODES[mode])
        _cpu(axes[1][1], result["throughput"])
    if "latency" in result:
        _latency(axes[2][0], result["latency"])
    if "scaling" in result:
        _scaling(axes[2][1], result)
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
        if not axis.has_data():
            axis.set_axis_off()
    when = f"{result['at'][:10]}, {result['cores']} cores, Python {result['python']}"
    figure.suptitle(f"aisle's stream beside other ways, {when}")
    figure.savefig(path, dpi=110)


def _rates(axis: Axes, rows: Mapping[str, Any], title: str) -> None:
    names = sorted(rows, key=lambda name: rows[name]["rate"])
    rates = [rows[name]["rate"] for name in names]
    axis.barh(names, rates, color=[_OURS if name == AISLE.title else _OTHERS for name in names])
    for place, name in enumerate(names):
        axis.plot(rows[name]["rates"], [place] * len(rows[name]["rates"]), "|", color="black", markersize=7)
        axis.text(max(rows[name]["rates"]), place, f"  {rates[place]:,.0f}", va="center", fontsize=9)
    axis.set_xlim(0, 1.2 * max(max(rows[name]["rates"]) for name in names))
    axis.set_title(title, fontsize=11)
    axis.set_xlabel("events/s (bar: median; marks: each round)")
    axis.xaxis.set_major_formatter(lambda value, _: f"{value / 1000:,.0f}k")


def _cpu(axis: Axes, modes: Mapping[str, Any]) -> None:
    bars = {_MODES[mode].partition(",")[0]: by[AISLE.title] for mode, by in modes.items()}
    left = [0.0] * len(bars)
    for part, colour in _PARTS.items():
        sizes = [row["broker_us"] if part == "broker" else row["parts_us"].get(part, 0.0) for row in bars.values()]
        axis.barh(list(bars), sizes, left=left, label=part, color=colour)
        left = [start + size for start, size in zip(left, sizes, strict=True)]
    axis.set_title("aisle: CPU by part, µs an event", fontsize=11)
    axis.legend(fontsize=9, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.12))


def _latency(axis: Axes, rows: list[Mapping[str, Any]]) -> None:
    places = range(len(rows))
    for shift, name in enumerate(("model", "p50", "p95", "p99")):
        heights = [row[f"{name}_ms"] for row in rows]
        bars = axis.bar(
            [place + (shift - 1.5) * 0.2 for place in places],
            heights,
            0.19,
            label="the model alone" if name == "model" else name,
            color=("#c8502d", "#4878a8", "#7a9ec0", "#b4c8da")[shift],
        )
        axis.bar_label(bars, fmt="%.0f", fontsize=8)
    axis.set_xticks(places, [f"{row['share']:.0%} ({row['sent_rate']:,.0f}/s)" for row in rows])
    axis.set_title("from produce to prediction, one worker", fontsize=11)
    axis.set_ylabel("ms")
    axis.legend(fontsize=9)


def _scaling(axis: Axes, result: Mapping[str, Any]) -> None:
    rows = result["scaling"]
    names = [f"{row['workers']:g}" for row in rows]
    bars = axis.bar(names, [row["rate"] for row in rows], 0.5, color=_OURS)
    axis.bar_label(bars, fmt="{:,.0f}", fontsize=9)
    axis.set_ylim(0, 1.25 * max(row["rate"] for row in rows))
    if "limits" in result:
        axis.axhline(result["limits"]["limit"], color="black", linestyle="--", linewidth=1)
        axis.text(-0.35, result["limits"]["limit"], "what model and broker allow", va="bottom", fontsize=9)
        axis.set_ylim(0, 1.25 * max(result["limits"]["limit"], *(row["rate"] for row in rows)))
    axis.set_title(f"workers on {result['cores']} cores, classified", fontsize=11)
    axis.set_xlabel("workers")
    axis.set_ylabel("events/s")
