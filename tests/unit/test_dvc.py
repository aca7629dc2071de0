"""dvc.yaml: its stages run commands that there are, on files that a stage before has made."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from tests.commands import aisle_commands, parsed

ROOT = Path(__file__).parents[2]
PIPELINE: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text())
VARIABLES: dict[str, Any] = {name: value for one in PIPELINE["vars"] for name, value in one.items()}


def filled(text: str) -> str:
    """A text with its variables replaced, as DVC does."""
    return re.sub(r"\$\{(\w+)\}", lambda found: str(VARIABLES[found[1]]), text)


@pytest.mark.parametrize("stage", PIPELINE["stages"])
def test_each_stage_runs_a_command_that_exists(stage: str) -> None:
    """With options that it has: a command that changes must not leave this file behind."""
    commands = aisle_commands(filled(PIPELINE["stages"][stage]["cmd"]))

    assert 1 == len(commands)
    assert stage == parsed(commands[0]).info_name


def test_a_wrong_option_would_be_found() -> None:
    """What the test above relies on."""
    with pytest.raises(click.UsageError):
        parsed(["data", "split", "file.csv", "--out", "folder", "--no-such-option"])
    with pytest.raises(click.UsageError):
        parsed(["data", "no-such-command"])


def test_stages_read_what_stages_before_have_written() -> None:
    """Else DVC would run them in any order, or never again."""
    made = [ROOT / VARIABLES["data"]]
    for stage in PIPELINE["stages"].values():
        reads = [ROOT / filled(one) for one in stage["deps"]]
        assert all(any(one.is_relative_to(there) for there in made) for one in reads), reads
        written = [*stage.get("outs", ()), *(name for one in stage.get("metrics", ()) for name in one)]
        made += [ROOT / filled(one) for one in written]
    assert (ROOT / VARIABLES["data"]).is_file()


@pytest.mark.skipif(shutil.which("dvc") is None, reason="dvc is not installed")
@pytest.mark.timeout(600)
def test_dvc_runs_them(tmp_path: Path, small_data: Path) -> None:
    """With DVC on PATH, the whole of it, on a small file."""
    shutil.copy(small_data, tmp_path / "data.csv")
    text = (ROOT / "dvc.yaml").read_text().replace(VARIABLES["data"], "data.csv")
    (tmp_path / "dvc.yaml").write_text(text)
    for command in (["git", "init", "-q"], ["dvc", "init", "-q"], ["dvc", "repro"]):
        subprocess.run(command, cwd=tmp_path, check=True, env=os.environ | {"AISLE_DATA_DIR": str(tmp_path / "var")})

    assert (tmp_path / "var" / "dvc" / "evaluation.json").is_file()
