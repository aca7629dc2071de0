"""Writes the dashboards as Grafana reads them: ``python -m infra.grafana.dashboards``."""

import json
from itertools import islice
from pathlib import Path
from string import ascii_uppercase
from typing import Any, Final

from infra.grafana.panels import DASHBOARDS, Dashboard, Panel

FOLDER: Final = Path(__file__).parent / "dashboards"

_SOURCE: Final = {"type": "prometheus", "uid": "prometheus"}  # as provisioning/datasources names it
_COLUMNS: Final = 3
_WIDE: Final = 24 // _COLUMNS  # Grafana's page has 24 columns
_HIGH: Final = 8


def text_of(dashboard: Dashboard) -> str:
    """The dashboard's JSON."""
    return json.dumps(_dashboard(dashboard), indent=1, ensure_ascii=False) + "\n"


def _dashboard(dashboard: Dashboard) -> dict[str, Any]:
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["aisle"],
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "schemaVersion": 39,
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "links": [{"type": "dashboards", "tags": ["aisle"], "title": "aisle", "asDropdown": False}],
        "panels": [_panel(number, panel) for number, panel in enumerate(dashboard.panels)],
    }


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    row, column = divmod(number, _COLUMNS)
    return {
        "id": number + 1,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "datasource": _SOURCE,
        "gridPos": {"x": column * _WIDE, "y": row * _HIGH, "w": _WIDE, "h": _HIGH},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}} if panel.kind == "timeseries" else {},
        "targets": [
            {"refId": name, "expr": query, "legendFormat": legend, "datasource": _SOURCE}
            for name, (legend, query) in zip(
                islice(ascii_uppercase, len(panel.queries)), panel.queries.items(), strict=True
            )
        ],
    }


def main() -> None:
    """Write all of them."""
    FOLDER.mkdir(exist_ok=True)
    for dashboard in DASHBOARDS:
        (FOLDER / f"{dashboard.uid}.json").write_text(text_of(dashboard))


if __name__ == "__main__":
    main()
