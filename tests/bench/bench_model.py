"""Quality and speed of the cascade beside the baseline, on open data: ``python -m tests.bench model``.

Each case trains a bundle and measures it as ``aisle evaluate --baseline`` does: scores on the test side, averaged
over several seeds, and rows a second of both, taken in turns within one run. Prints a Markdown table.
"""

import argparse
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean

import numpy as np

import model
from model.comparison import BATCHES, Scores, measure
from model.data.columns import Columns
from model.data.labelled import LabelledData, load_labelled
from model.training import TrainOptions, train

OFF = Path(model.__file__).parent / "data" / "openfoodfacts_fr" / "openfoodfacts_fr.csv"
CIQUAL = Path(__file__).parents[1] / "data" / "ciqual_fr" / "ciqual_fr.csv"
CASES = (
    ("openfoodfacts", OFF, "category_group"),
    ("openfoodfacts", OFF, "category"),
    ("ciqual", CIQUAL, "category"),
    ("ciqual", CIQUAL, "subcategory"),
)
MIN_CLASS_ROWS = 5


def frequent(data: LabelledData) -> LabelledData:
    """The rows of categories that have enough of them to be split."""
    counts = Counter(data.codes.tolist())
    rows = np.flatnonzero([counts[code] >= MIN_CLASS_ROWS for code in data.codes.tolist()])
    return replace(
        data,
        rows=data.rows.take(rows),
        codes=data.codes[rows],
        keys=data.keys[rows],
    )


def compare(data: LabelledData, seeds: int) -> list[list[Scores]]:
    """Both models' scores for each seed."""
    with tempfile.TemporaryDirectory() as folder:
        bundles = [train(data, Path(folder), TrainOptions(seed=seed)).bundle for seed in range(seeds)]
        return [measure(bundle, data, baseline=True).lines for bundle in bundles]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="bench model", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="splits to average over")
    seeds = parser.parse_args(arguments).seeds
    speeds = " | ".join(f"rows/s at {rows} (ratio)" for rows in BATCHES)
    print(f"{seeds} splits, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print(f"| data | categories | model | accuracy | weighted F1 | macro F1 | {speeds} |")
    print("|---|---:|---|---:|---:|---:|" + "---:|" * len(BATCHES))
    for name, path, column in CASES:
        data = frequent(load_labelled(path, Columns(category=column)))
        runs = compare(data, seeds)
        for number in (0, 1):
            print(_row(f"{name} | {len(data.classes)}", [run[number] for run in runs], [run[1] for run in runs]))


def _row(case: str, runs: list[Scores], yardstick: list[Scores]) -> str:
    scores = [mean(getattr(run, score) for run in runs) for score in ("accuracy", "weighted_f1", "macro_f1")]
    cells = [f"{score:.4f}" for score in scores]
    for rows in BATCHES:
        speed = mean(run.rows_per_s[rows] for run in runs)
        ratio = mean(run.rows_per_s[rows] / base.rows_per_s[rows] for run, base in zip(runs, yardstick, strict=True))
        cells.append(f"{speed:,.0f} ({ratio:.1f})")
    return f"| {case} | {runs[0].name} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
