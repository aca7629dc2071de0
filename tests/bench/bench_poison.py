"""Poisoned feedback, and what becomes of it: ``python -m tests.bench poison``.

On open data: a champion is trained on half of the rows. People correct and validate what it says of the other half, and
somebody poisons it. The training set is made, a model is trained on it as the retraining worker does, and the gate says
whether it may go into service. Printed as a table: who was set aside, what the gate says, and what the model would have
been worth on rows that nobody has touched.
"""

import argparse
import csv
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np

from infra.images import ImageStore
from infra.settings import Settings
from model.data.columns import Columns
from model.data.labelled import LabelledData, load_labelled
from model.parameters import TrainOptions
from tests.bench.model_sets import CIQUAL, OPEN_FOOD_FACTS, frequent
from tests.bench.poison_sets import POISONS, Product, honest, log_of
from workers.retrain.base_set import BaseSet, keep_base
from workers.retrain.training_set import make_set

_SETS: Final = {"ciqual": (CIQUAL, "category"), "openfoodfacts": (OPEN_FOOD_FACTS, "category")}


def main(arguments: Sequence[str]) -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="bench poison", description=__doc__, allow_abbrev=False)
    parser.add_argument("--data", choices=_SETS, nargs="+", default=["ciqual"])
    parser.add_argument("--honest", type=int, default=300, help="honest verdicts beside the poison")
    parser.add_argument("--poison", type=int, default=300, help="poisoned verdicts")
    parser.add_argument("--only", default="", help="poisons whose name has this in it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    found = []
    for name in options.data:
        with tempfile.TemporaryDirectory(prefix="aisle-poison-") as folder:
            field = Field(Path(folder), *_SETS[name], seed=options.seed)
            for poison in POISONS:
                if options.only in poison:
                    found.append({"data": name, "poison": poison} | field.measure(poison, options))
                    print(_line(found[-1]), file=sys.stderr, flush=True)
    print(json.dumps(found, indent=1) if options.json else "\n".join([_HEADER, *map(_line, found)]))


_HEADER: Final = (
    "| data | poison | set aside | gate | weighted F1, champion → new, untouched rows |\n|---|---|---|---|---|"
)


def _line(one: dict[str, Any]) -> str:
    gate = "passes" if one["passed"] else "refuses: " + "; ".join(one["reasons"])
    figures = f"{one['before']:.4f} → {one['after']:.4f}"
    return f"| {one['data']} | {one['poison']} | {', '.join(one['set_aside']) or 'nobody'} | {gate} | {figures} |"


class Field:
    """A champion, its base set, and products that it has not seen."""

    def __init__(self, folder: Path, path: Path, column: str, *, seed: int) -> None:
        from model.training import train

        self._folder, self._seed = folder, seed
        data = frequent(load_labelled(path, Columns(category=column)))
        order = np.random.default_rng(seed).permutation(np.unique(data.groups))
        part = np.searchsorted(np.sort(order), data.groups)
        place = np.argsort(np.argsort(order))[part] / len(order)
        base, stream, rest = place < 0.5, (place >= 0.5) & (place < 0.9), place >= 0.9
        file = folder / "base.csv"
        _write(file, data, np.flatnonzero(base))
        rows = load_labelled(file)
        self.champion = train(rows, folder / "models", TrainOptions(seed=seed)).bundle
        self._images = ImageStore(folder / "images")
        self.base: BaseSet = keep_base(file, Columns(), rows, self.champion, folder / "sets", self._images)
        self._untouched = data, np.flatnonzero(rest)
        self.stream = self._products(data, np.flatnonzero(stream))

    def measure(self, poison: str, options: argparse.Namespace) -> dict[str, Any]:
        """What becomes of it."""
        from model.gate import judge
        from model.training import train

        chance, rules = Random(self._seed), Settings(_env_file=None)
        words = [
            *honest(self.stream, options.honest, chance),
            *POISONS[poison](self.stream, options.poison, chance),
        ]
        chance.shuffle(words)
        made = make_set(log_of(words), self._images, self._folder / "sets", self.base, rules)
        data = made.load()
        options_of = TrainOptions(seed=self._seed)
        new = train(data, self._folder / "models", options_of, start=self.champion, champion=self.champion).bundle
        decision = judge(self.champion, new, data, made.golden, rules, made.verdicts)
        return {
            "verdicts": len(words),
            "used": len(made.manifest.verdicts),
            "set_aside": [one.who for one in made.manifest.set_aside],
            "why": [one.reason for one in made.manifest.set_aside],
            "passed": decision.passed,
            "reasons": decision.reasons,
            "before": self._score(self.champion),
            "after": self._score(new),
            "decision": decision.model_dump(mode="json"),
        }

    def _products(self, data: LabelledData, rows: Any) -> list[Product]:
        said = self._said(self.champion, data, rows)
        return [
            Product(data.rows.raw_titles[row], data.rows.raw_descriptions[row], str(data.codes[row]), code)
            for row, code in zip(rows.tolist(), said, strict=True)
        ]

    def _said(self, bundle: Path, data: LabelledData, rows: Any) -> list[str]:
        from model.classifier import load_cascade

        manifest, cascade = load_cascade(bundle)
        best = cascade.answer(data.rows.take(rows)).probabilities.argmax(axis=1)
        return [manifest.categories[number].code for number in best.tolist()]

    def _score(self, bundle: Path) -> float:
        from sklearn.metrics import f1_score

        data, rows = self._untouched
        return float(f1_score(data.codes[rows], self._said(bundle, data, rows), average="weighted"))


def _write(path: Path, data: LabelledData, rows: Any) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["title", "description", "category"])
        for row in rows.tolist():
            writer.writerow([data.rows.raw_titles[row], data.rows.raw_descriptions[row], data.codes[row]])


if __name__ == "__main__":
    main(sys.argv[1:])
