"""The evaluation report inside a bundle: JSON for machines, Markdown and two pictures for people."""

from pathlib import Path

from model.bundle import Manifest
from model.evaluation import Evaluation
from model.plots import draw_confusion, draw_reliability


def write_report(evaluation: Evaluation, manifest: Manifest, path: Path) -> None:
    """Write ``report.json``, ``report.md``, ``confusion.png`` and ``reliability.png`` into a new directory."""
    path.mkdir()
    (path / "report.json").write_text(evaluation.model_dump_json(indent=1), encoding="utf-8")
    (path / "report.md").write_text(markdown(evaluation, manifest), encoding="utf-8")
    draw_confusion(evaluation, path / "confusion.png")
    draw_reliability(evaluation, path / "reliability.png")


def markdown(evaluation: Evaluation, manifest: Manifest) -> str:
    """The report as a Markdown page."""
    data = manifest.data
    head = f"""# {manifest.name}: evaluation

Trained {manifest.created_at:%Y-%m-%d %H:%M} UTC with seed {manifest.seed} on `{data.file}`: {data.rows:,} rows,
of which {data.train:,} to train and {data.test:,} to test; {data.skipped:,} passed
over. Rows with the same title are on the same side.

| on {evaluation.rows:,} test rows | |
|---|---|
| accuracy | {evaluation.accuracy:.4f} |
| weighted F1 | {evaluation.weighted_f1:.4f} |
| macro F1 | {evaluation.macro_f1:.4f} |
| expected calibration error | {evaluation.ece:.4f} |
| review threshold | {evaluation.review_threshold:.3f}, chosen for {manifest.auto_accept_precision:.0%} right above it |
| need no review | {evaluation.accepted_share:.1%} of rows, {evaluation.accepted_precision:.1%} of them right |

![Confusion matrix](confusion.png)
![Reliability diagram](reliability.png)

| category | code | precision | recall | F1 | rows |
|---|---|---:|---:|---:|---:|
"""
    rows = [
        f"| {_cell(score.label)} | {_cell(score.code)} | {score.precision:.3f} | {score.recall:.3f} "
        f"| {score.f1:.3f} | {score.rows} |"
        for score in evaluation.classes
    ]
    return head + "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
