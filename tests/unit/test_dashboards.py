"""The dashboards: current, and of nothing that does not exist. That each query is answered, integration shows."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.grafana.dashboards import FOLDER, text_of
from infra.grafana.panels import DASHBOARDS, Dashboard
from tests.unit.test_alerts import unknown_names

PROVISIONED = FOLDER.parent / "provisioning"


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.uid)
def test_the_files_are_what_the_description_says(dashboard: Dashboard) -> None:
    """`python -m infra.grafana.dashboards` renews them."""
    assert text_of(dashboard) == (FOLDER / f"{dashboard.uid}.json").read_text()


def test_there_is_no_other_file() -> None:
    """A dashboard that was dropped is dropped here too."""
    assert {f"{one.uid}.json" for one in DASHBOARDS} == {path.name for path in FOLDER.iterdir()}


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.uid)
def test_every_figure_that_a_panel_names_exists(dashboard: Dashboard) -> None:
    """A figure that was renamed in the code or in the rules is renamed in the panels."""
    panels = json.loads(text_of(dashboard))["panels"]

    assert {} == {
        panel["title"]: unknown
        for panel in panels
        if (unknown := {name for target in panel["targets"] for name in unknown_names(target["expr"])})
    }


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.uid)
def test_panels_have_names_and_places_of_their_own(dashboard: Dashboard) -> None:
    """None lies over another, all within Grafana's 24 columns, and each query has a letter of its own."""
    panels = json.loads(text_of(dashboard))["panels"]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]

    assert len(panels) == len(set(places)) == len({panel["title"] for panel in panels})
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)
    for panel in panels:
        letters = [target["refId"] for target in panel["targets"]]
        assert letters
        assert sorted(set(letters)) == letters


def test_panels_ask_the_source_that_is_provisioned() -> None:
    """The data source has the identity that every query names, and the folder of dashboards is the one mounted."""
    (source,) = _read("datasources/prometheus.yml")["datasources"]
    (provider,) = _read("dashboards/aisle.yml")["providers"]
    compose = yaml.safe_load((Path(__file__).parents[2] / "docker-compose.yml").read_text())["services"]
    named = {
        target["datasource"]["uid"]
        for dashboard in DASHBOARDS
        for panel in json.loads(text_of(dashboard))["panels"]
        for target in panel["targets"]
    }

    assert {source["uid"]} == named
    assert f"./infra/grafana/dashboards:{provider['options']['path']}:ro" in compose["grafana"]["volumes"]
    assert "http://prometheus:9090" == source["url"]


def _read(name: str) -> Any:
    return yaml.safe_load((PROVISIONED / name).read_text())
