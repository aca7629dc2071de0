"""The result of the model's bench as Markdown and as a picture."""

import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from model.calibration import expected_calibration_error

AISLE: Final = "aisle"
_BEGIN: Final = "<!-- measured by `make bench ARGS=model`: begin -->"
_END: Final = "<!-- measured by `make bench ARGS=model`: end -->"
_PICTURE: Final = "benchmarks-model.png"
_OURS, _OTHERS = "#c8502d", "#8a9aa8"
_WIDE_SLICE: Final = 300  # rows in all splits: below this a slice's figures say little

Runs = Sequence[Mapping[str, Any]]


def markdown(result: Mapping[str, Any], picture: Path) -> str:
    """Tables of a result, whose picture is drawn into a PNG."""
    by_case: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for run in result["runs"]:
        by_case[run["case"]].append(run)
    whole = {case: [run for run in runs if run["share"] == 1] for case, runs in by_case.items()}
    text = [
        f"Measured {result['at'][:10]} on {result['cores']} cores ({result['machine']}, Python {result['python']}); "
        f"load before: {result['load']:.1f}.",
        f"![Weighted F1 beside others, learning curves, photos and texts]({_PICTURE})",
        *(_case(case, runs) for case, runs in whole.items() if runs),
        _differences(whole),
        _learning(by_case),
        *(_slices(case, runs) for case, runs in whole.items() if runs and runs[0]["fusion"]),
    ]
    _draw(by_case, picture)
    return "\n\n".join(part for part in text if part) + "\n"


def _case(case: str, runs: Runs) -> str:
    first = runs[0]
    lines = [
        f"### {case[0].upper()}{case[1:]}",
        "",
        f"{first['train']:,} rows to learn from, {first['test']:,} to measure with, {_splits(len(runs))}; stages: "
        f"{', '.join(first['stages'])}.",
        "",
        "| model | accuracy | weighted F1 | beside the first rival | macro F1 | rows/s at 32 (ratio) | learned in, s |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    names = [line["model"] for line in first["lines"]]
    for place, name in enumerate(names):
        own = [run["lines"][place] for run in runs]
        rival = [run["lines"][min(1, len(names) - 1)] for run in runs]
        gain = [one["weighted_f1"] - other["weighted_f1"] for one, other in zip(own, rival, strict=True)]
        ratio = np.mean([one["rows_per_s"] / other["rows_per_s"] for one, other in zip(own, rival, strict=True)])
        lines.append(
            f"| {name} | {_mean(own, 'accuracy'):.4f} | {_mean(own, 'weighted_f1'):.4f} | {_plus_minus(gain)} "
            f"| {_mean(own, 'macro_f1'):.4f} | {_mean(own, 'rows_per_s'):,.0f} ({ratio:.1f}) "
            f"| {_mean(own, 'took_s'):.0f} |"
        )
    ours = [run["lines"][0] for run in runs]
    lines += [
        "",
        f"aisle: ECE {_pooled_ece(ours):.3f} over all splits' rows ({_mean(ours, 'ece'):.3f} in one); "
        f"without a person's look {_mean(ours, 'accepted_share'):.0%}, of which "
        f"{_mean(ours, 'accepted_precision'):.3f} right (0.95 asked); learned in "
        f"{max(one['peak_mb'] for one in ours):,.0f} MB.",
    ]
    return "\n".join(lines)


def _differences(whole: Mapping[str, Runs]) -> str:
    texts = {case: runs for case, runs in whole.items() if runs and not runs[0]["fusion"] and len(runs) > 1}
    if not texts:
        return ""
    gains = [np.mean([_gain(run) for run in runs]) for runs in texts.values()]
    return (
        f"Weighted F1 beside TF-IDF and LinearSVC, mean over these {len(gains)} sets of texts: {np.mean(gains):+.4f}."
    )


def _learning(by_case: Mapping[str, Runs]) -> str:
    rows = []
    for case, runs in by_case.items():
        shares = sorted({run["share"] for run in runs})
        if len(shares) < 2:
            continue
        for share in shares:
            some = [run for run in runs if run["share"] == share]
            own, rival = ([run["lines"][place] for run in some] for place in (0, 1))
            rows.append(
                f"| {case} | {share:.0%} | {some[0]['train']:,} | {_mean(own, 'weighted_f1'):.4f} "
                f"| {_mean(rival, 'weighted_f1'):.4f} | {_plus_minus([_gain(run) for run in some])} |"
            )
    if not rows:
        return ""
    head = "| data | part of the rows | rows | aisle, weighted F1 | TF-IDF + LinearSVC | difference |"
    return "\n".join(["### With fewer rows to learn from", "", head, "|---|---:|---:|---:|---:|---:|", *rows])


def _slices(case: str, runs: Runs) -> str:
    names = [name for name in runs[0]["fusion"][0] if name not in ("slice", "rows")]
    lines = [
        f"### Together and alone: {case}",
        "",
        f"Accuracy by slice over {_splits(len(runs))}; a stage that can read nothing guesses the commonest one.",
        "",
        "| slice | rows | " + " | ".join(name if name == AISLE else f"{name} alone" for name in names) + " |",
        "|---|---:|" + "---:|" * len(names),
    ]
    for kind in runs[0]["fusion"]:
        own = [one for run in runs for one in run["fusion"] if one["slice"] == kind["slice"]]
        rows = sum(one["rows"] for one in own)
        if rows >= _WIDE_SLICE:
            means = [sum(one[name] * one["rows"] for one in own) / rows for name in names]
            lines.append(f"| {kind['slice']} | {rows:,} | " + " | ".join(f"{value:.4f}" for value in means) + " |")
    return "\n".join(lines)


def put_into(docs: Path, text: str, picture: Path) -> None:
    """Replace the section of the benchmarks page, and its picture."""
    page = docs / "benchmarks.md"
    before, rest = page.read_text().split(_BEGIN)
    after = rest.split(_END)[1]
    page.write_text(f"{before}{_BEGIN}\n\n{text}{_END}{after}")
    shutil.copyfile(picture, docs / _PICTURE)


def _draw(by_case: Mapping[str, Runs], path: Path) -> None:
    figure = Figure(figsize=(13, 9), layout="constrained")
    scores, learning = figure.subplots(1, 2)
    _draw_scores(scores, by_case)
    _draw_learning(learning, by_case)
    for axis in (scores, learning):
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


def _draw_scores(axis: Axes, by_case: Mapping[str, Runs]) -> None:
    place, ticks, names = 0.0, [], []
    for case, runs in by_case.items():
        whole = [run for run in runs if run["share"] == 1]
        if not whole:
            continue
        for number, line in enumerate(whole[0]["lines"]):
            values = [run["lines"][number]["weighted_f1"] for run in whole]
            axis.barh(place, np.mean(values), color=_OURS if number == 0 else _OTHERS, height=0.8)
            axis.plot(values, [place] * len(values), "|", color="black", markersize=6)
            axis.text(max(values), place, f" {np.mean(values):.3f}", va="center", fontsize=8)
            ticks.append(place)
            names.append(f"{case}\n{line['model']}" if number == 0 else line["model"])
            place -= 1
        place -= 0.8
    axis.set_yticks(ticks, names, fontsize=8)
    axis.set_xlim(0, 1.1)
    axis.set_title("Weighted F1 (bar: mean; marks: each split)", fontsize=11)


def _draw_learning(axis: Axes, by_case: Mapping[str, Runs]) -> None:
    for number, (case, runs) in enumerate(by_case.items()):
        shares = sorted({run["share"] for run in runs})
        if len(shares) < 2:
            continue
        gains = [[_gain(run) for run in runs if run["share"] == share] for share in shares]
        means, errors = [float(np.mean(gain)) for gain in gains], [_error(gain) for gain in gains]
        axis.errorbar(shares, means, errors, marker="o", capsize=3, label=case, color=f"C{number}")
    axis.axhline(0, color="black", linewidth=0.8)
    axis.set_xscale("log")
    axis.set_xticks([0.05, 0.2, 1.0], ["5 %", "20 %", "100 %"])
    axis.set_xlabel("rows to learn from")
    axis.set_title("aisle's weighted F1 above TF-IDF + LinearSVC", fontsize=11)
    if axis.get_legend_handles_labels()[0]:
        axis.legend(fontsize=8)


def _gain(run: Mapping[str, Any]) -> float:
    return float(run["lines"][0]["weighted_f1"] - run["lines"][1]["weighted_f1"])


def _mean(lines: Sequence[Mapping[str, Any]], name: str) -> float:
    return float(np.mean([line[name] for line in lines]))


def _pooled_ece(lines: Sequence[Mapping[str, Any]]) -> float:
    """Of the rows of all splits together: with 600 rows a perfect model's is .03 by chance."""
    confidence, right = (np.concatenate([line[name] for line in lines]) for name in ("confidence", "right"))
    return expected_calibration_error(confidence, right.astype(np.bool_))


def _error(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def _plus_minus(values: Sequence[float]) -> str:
    return f"{np.mean(values):+.4f}" + (f" ± {_error(values):.4f}" if len(values) > 1 else "")


def _splits(count: int) -> str:
    return "one split" if count == 1 else f"{count} splits"
