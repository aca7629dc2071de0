"""The report's files inside a bundle: a page and a model card for people, JSON for machines."""

from pathlib import Path
from typing import Final

from model.report.page import html_page, model_card
from model.report.schema import TrainingReport

HTML: Final = "report.html"
JSON: Final = "report.json"
CARD: Final = "model-card.md"


def write_report(report: TrainingReport, path: Path) -> None:
    """Write ``report.html``, ``report.json`` and ``model-card.md`` into a new directory.

    Raises:
        OSError: The directory exists, the disk is full, or the path cannot be written.
    """
    path.mkdir()
    (path / JSON).write_text(report.model_dump_json(indent=1), encoding="utf-8")
    (path / HTML).write_text(html_page(report), encoding="utf-8")
    (path / CARD).write_text(model_card(report), encoding="utf-8")
