"""CI and hooks: the commands of the README, on every supported Python, with nothing fetched from elsewhere."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
JOB: dict[str, Any] = WORKFLOW["jobs"]["test"]


def test_ci_runs_what_a_user_runs() -> None:
    """The make targets, and hosted the very same script; the other Pythons have the linters and the tests."""
    script = (ROOT / ".ci" / "run").read_text()
    hosted = {step["if"]: step["run"].splitlines()[-1] for step in JOB["steps"] if "run" in step}

    assert hosted == {"matrix.python == '3.11'": "bash .ci/run", "matrix.python != '3.11'": "make lint test"}
    assert re.findall(r"^make \w+", script, re.MULTILINE) == ["make lint", "make chaos", "make release", "make test"]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_ci_covers_every_supported_python() -> None:
    """What pyproject.toml promises is tested."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    promised = {found[1] for text in project["classifiers"] if (found := re.search(r":: (3\.\d+)$", text))}

    assert set(JOB["strategy"]["matrix"]["python"]) == promised


def test_ci_has_least_rights_and_pinned_actions() -> None:
    """It may read the code and nothing else; actions come by version."""
    assert WORKFLOW["permissions"] == {"contents": "read"}
    for step in JOB["steps"]:
        assert re.fullmatch(r"actions/[\w-]+@v\d+", step.get("uses", "actions/x@v1"))


def test_hooks_use_the_environments_own_tools() -> None:
    """One version of each tool: that of the lock file."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())

    assert [repo["repo"] for repo in hooks["repos"]] == ["local"]
    assert all(hook["entry"].startswith(".venv/bin/") for hook in hooks["repos"][0]["hooks"])
