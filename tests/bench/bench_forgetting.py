"""Learning without forgetting: ``python -m tests.bench forgetting``.

A model is trained on an open set without one of its categories, which is then taught by corrections: its real rows, a
number of them at a time. Beside it stands a full training on the same rows, which begins with nothing. Measured are the
recall of the new category on rows that neither has seen, the golden rows' weighted F1 before and after, and whether the
gate lets the new model in.
"""

import argparse
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from infra.settings import Settings
from model.bundle import HELD_KEYS
from model.classifier import load_cascade
from model.data.columns import Columns
from model.data.labelled import LabelledData, load_labelled
from model.gate import judge
from model.parameters import TrainOptions
from model.training import train
from tests.bench.environment import ROOT
from tests.bench.model_sets import CIQUAL, OPEN_FOOD_FACTS, frequent

STEPS: Final = (50, 200, 1_000)
ASKED: Final = {50: 0.5, 200: 0.7, 1_000: 0.85}
"""Part of a full training's recall that so many corrections have to reach."""

_MEASURED: Final = 0.3  # part of the category's rows that nobody learns from
_SETS: Final = {
    "openfoodfacts, 5 categories": (OPEN_FOOD_FACTS, "category_group"),
    "openfoodfacts, 12 categories": (OPEN_FOOD_FACTS, "category"),
    "ciqual, 11 categories": (CIQUAL, "category"),
    "ciqual, 60 categories": (CIQUAL, "subcategory"),
}

Indices = NDArray[np.int64]


def main(arguments: Sequence[str]) -> None:
    """Measure; writes ``forgetting.json`` and ``forgetting.png`` into ``var/bench``."""
    parser = argparse.ArgumentParser(prog="bench forgetting", description=__doc__, allow_abbrev=False)
    parser.add_argument("--set", default="", help="only sets whose name has this in it")
    parser.add_argument("--classes", type=int, default=1, help="categories to hold back of each set, the largest first")
    parser.add_argument("--docs", action="store_true", help="put the picture into docs/")
    options = parser.parse_args(arguments)
    lines = []
    for name, (path, column) in _SETS.items():
        if options.set in name:
            data = frequent(load_labelled(path, Columns(category=column)))
            for code, _ in Counter(data.codes.tolist()).most_common(options.classes):
                for line in _taught(name, data, code):
                    lines.append(line)
                    print(json.dumps(line), flush=True)
    folder = ROOT / "var" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "forgetting.json").write_text(json.dumps(lines, indent=1))
    plot(lines, folder / "forgetting.png")
    if options.docs:
        shutil.copyfile(folder / "forgetting.png", ROOT / "docs" / "learning-forgetting.png")


def _taught(name: str, data: LabelledData, code: str) -> list[dict[str, Any]]:
    """A category held back, then taught."""
    own = np.random.default_rng(0).permutation(np.flatnonzero(data.codes == code))
    cut = round(_MEASURED * len(own))
    unseen, pool = own[:cut], own[cut:]
    pool = pool[~np.isin(data.keys[pool], data.keys[unseen])]
    rest = np.flatnonzero(data.codes != code)
    found = []
    with tempfile.TemporaryDirectory(prefix="aisle-forgetting-") as folder:
        models = Path(folder)
        champion = train(_part(data, rest), models, TrainOptions()).bundle
        for count in (step for step in STEPS if step <= len(pool)):
            rows = _part(data, np.concatenate([rest, pool[:count]]))
            new = train(rows, models, TrainOptions(), start=champion, corrected=True).bundle
            full = train(rows, models, TrainOptions()).bundle
            golden = np.isin(rows.keys, np.load(champion / HELD_KEYS, allow_pickle=False))
            golden[len(rest) :] = False
            decision = judge(champion, new, rows, golden, Settings(_env_file=None))
            recalls = [_recall(bundle, data, unseen, code) for bundle in (new, full)]
            scores = [_weighted_f1(bundle, rows, np.flatnonzero(golden)) for bundle in (champion, new)]
            found.append(
                {
                    "set": name,
                    "category": code,
                    "corrections": count,
                    "measured_on": len(unseen),
                    "recall": recalls[0],
                    "recall_of_full_training": recalls[1],
                    "share": recalls[0] / recalls[1] if recalls[1] else None,
                    "asked": ASKED[count],
                    "golden_rows": int(golden.sum()),
                    "golden_f1_before": scores[0],
                    "golden_f1_after": scores[1],
                    "passed": decision.passed,
                    "reasons": decision.reasons,
                }
            )
    return found


def _part(data: LabelledData, rows: Indices) -> LabelledData:
    return replace(data, rows=data.rows.take(rows), codes=data.codes[rows], keys=data.keys[rows])


def _said(bundle: Path, data: LabelledData, rows: Indices) -> NDArray[np.str_]:
    manifest, cascade = load_cascade(bundle)
    codes = np.array([entry.code for entry in manifest.categories])
    found: NDArray[np.str_] = codes[cascade.answer(data.rows.take(rows)).probabilities.argmax(axis=1)]
    return found


def _recall(bundle: Path, data: LabelledData, rows: Indices, code: str) -> float:
    return float((_said(bundle, data, rows) == code).mean())


def _weighted_f1(bundle: Path, data: LabelledData, rows: Indices) -> float:
    from sklearn.metrics import f1_score

    return float(f1_score(data.codes[rows], _said(bundle, data, rows), average="weighted", zero_division=0.0))


def plot(lines: Sequence[dict[str, Any]], path: Path) -> None:
    """Recall of the new category and golden F1, by the number of corrections."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    cases = list(dict.fromkeys((line["set"], line["category"]) for line in lines))
    for number, case in enumerate(cases):
        own = [line for line in lines if (line["set"], line["category"]) == case]
        steps = [line["corrections"] for line in own]
        colour = f"C{number}"
        left.plot(steps, [line["recall"] for line in own], "o-", color=colour, label=f"{case[0]}: {case[1]}")
        left.plot(steps, [line["recall_of_full_training"] for line in own], "x--", color=colour, alpha=0.5)
        change = [line["golden_f1_after"] - line["golden_f1_before"] for line in own]
        right.plot(steps, change, "o-", color=colour)
    left.set(xscale="log", xlabel="corrections", ylabel="recall of the new category", ylim=(0, 1.02))
    left.set_title("taught by corrections (lines), full training (dashed)")
    right.axhspan(-0.005, 0.005, alpha=0.15, color="grey")
    right.set(xscale="log", xlabel="corrections", ylabel="change of weighted F1")
    right.set_title("golden rows (grey: ± 0.005)")
    for axis in (left, right):
        axis.set_xticks(STEPS, [f"{step:,}" for step in STEPS])
        axis.minorticks_off()
    left.legend(fontsize=8)
    figure.savefig(path, dpi=110)
