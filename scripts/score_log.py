"""Rounds of ``aisle score``, one below another in a CSV, and as a picture beside it."""

import csv
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from scripts.score_round import Round

_COLUMNS: Final = ("at", "sent", "answered", "right", "accuracy", "low", "high", "weighted_f1", "models")


def note(path: Path, one: "Round") -> None:
    """Add a round, and draw all that are there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figures = one.figures()
    low, high = figures.pop("interval")
    row = figures | {"low": low, "high": high, "models": " ".join(one.versions)}
    is_new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        if is_new:
            writer.writeheader()
        writer.writerow(row)
    with path.open(newline="", encoding="utf-8") as file:
        draw(list(csv.DictReader(file)), path.with_suffix(".png"))


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Accuracy of each round with its 95 % interval, the mean so far, and where another model began to answer."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    at = [datetime.fromisoformat(row["at"]) for row in rows]
    accuracy, low, high = ([float(row[name]) for row in rows] for name in ("accuracy", "low", "high"))
    sent, right = ([int(row[name]) for row in rows] for name in ("sent", "right"))
    so_far = [sum(right[: end + 1]) / sum(sent[: end + 1]) for end in range(len(rows))]
    figure, axes = plt.subplots(figsize=(9, 4), dpi=120, layout="constrained")
    axes.fill_between(at, low, high, color="#1f5f99", alpha=0.15, linewidth=0, label="95% interval")  # type: ignore[arg-type] # times
    axes.plot(at, accuracy, "o-", color="#1f5f99", markersize=4, linewidth=1, label="of a round")  # type: ignore[arg-type] # times
    axes.plot(at, so_far, color="#b3541e", linewidth=2, label="so far")  # type: ignore[arg-type] # times
    for before, row, moment in zip(rows, rows[1:], at[1:], strict=False):
        if row["models"] != before["models"]:
            axes.axvline(moment, color="gray", linewidth=1, linestyle=":")  # type: ignore[arg-type] # a time
            axes.annotate(row["models"], (moment, 0.02), rotation=90, fontsize=7, color="gray", ha="right")
    axes.set_ylim(0, 1)
    axes.set_ylabel("accuracy")
    axes.set_title(f"{sum(sent):,} products of known categories, in {len(rows):,} rounds", loc="left", fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left", frameon=False)
    figure.autofmt_xdate()
    figure.savefig(path)
    plt.close(figure)
