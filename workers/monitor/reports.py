"""Drift reports by date: one a day, and one more whenever an alert begins. The last 90 days are kept."""

import shutil
from datetime import date, datetime
from pathlib import Path
from typing import Final

from model.drift.compare import Drift
from model.drift.page import write_page

KEPT_DAYS: Final = 90


def report_name(data_dir: Path, at: datetime, *, alert: bool) -> tuple[Path, str] | None:
    """The folder and the name of the report to write; None where the day has one, and nothing has begun.

    Args:
        data_dir: The data directory.
        at: When the check was made.
        alert: Whether an alert begins with it.
    """
    folder = data_dir / "monitor" / f"{at:%Y-%m-%d}"
    if not (folder / "drift.html").exists():
        return folder, "drift"
    return (folder, f"drift-{at:%H%M%S}") if alert else None


def write_report(drift: Drift, psi: float, folder: Path, name: str) -> None:
    """Write a report, and remove the oldest days; takes seconds and 200 MB, so a process of its own does it.

    Raises:
        OSError: It cannot be written.
    """
    write_page(drift, folder, psi, name)
    for old in sorted(day for day in folder.parent.iterdir() if _is_day(day.name))[:-KEPT_DAYS]:
        shutil.rmtree(old, ignore_errors=True)


def _is_day(name: str) -> bool:
    try:
        date.fromisoformat(name)
    except ValueError:
        return False
    return len(name) == 10
