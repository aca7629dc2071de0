"""The drift report as Evidently makes it: a page for people and JSON for machines, both without the network."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from model.drift.compare import SIGNIFICANT, Drift

if TYPE_CHECKING:
    from pandas import DataFrame

# Evidently's scripts, fonts and pictures are in the page; whatever else they might ask for, they do not get.
_POLICY: Final = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'unsafe-inline' "
    "'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:\">"
)
_SHARE: Final = 0.1  # of drifted columns, from which on Evidently's page calls the whole data drifted


def write_page(drift: Drift, folder: Path, drifted: float, name: str = "drift") -> None:
    """Write ``<name>.html`` (3.7 MB, most of it scripts) and ``<name>.json`` into a folder, made where it is not there.

    Takes seconds and 200 MB, as it imports Evidently.

    Args:
        drift: With at least one column.
        folder: Where the files go.
        drifted: The PSI that was asked for.
        name: Of both files.

    Raises:
        OSError: They cannot be written.
    """
    page, tests = _evidently(drift, drifted)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.html").write_text(page.replace("<head>", f"<head>{_POLICY}", 1), encoding="utf-8")
    figures = {"share": drift.share, "drifted": drift.drifted, **drift.model_dump(), "evidently": tests}
    (folder / f"{name}.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")


def _evidently(drift: Drift, drifted: float) -> tuple[str, Any]:
    os.environ["DO_NOT_TRACK"] = "1"
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its imports: it leans on old names of numpy's
        from evidently import DataDefinition, Dataset, Report
        from evidently.metrics import ValueDrift
        from evidently.presets import DataDriftPreset

        names = [column.name for column in drift.columns]
        definition = DataDefinition(categorical_columns=names)
        before, now = (Dataset.from_pandas(_frame(drift, side), data_definition=definition) for side in (0, 1))
        tests = [ValueDrift(column=name, method="chisquare", threshold=SIGNIFICANT) for name in names]
        found = Report([DataDriftPreset(method="psi", threshold=drifted, drift_share=_SHARE), *tests]).run(now, before)
        return found.get_html_str(as_iframe=False), json.loads(found.json())


def _frame(drift: Drift, side: int) -> "DataFrame":
    """One side's values by the names of their bins; columns are of unequal length, and end with gaps."""
    from pandas import DataFrame, Series

    columns = {}
    for column in drift.columns:
        values = [name for name, counts in column.binned.items() for _ in range(counts[side])]
        columns[column.name] = Series(values, dtype="object")
    return DataFrame(columns)
