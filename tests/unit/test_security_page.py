"""The page on security: its table of rights is held to what the code reads and writes."""

import re
from pathlib import Path

import click
import pytest

from infra.settings_security import SecuritySettings
from schemas import topics
from scripts.cli import cli
from streams.archive import TOPICS as ARCHIVED

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
# The files by which each process reads and writes; those of the transport take whatever topic they are given.
FILES = {
    "classify": ("streams/classify*.py", "streams/champion.py", "streams/decided.py"),
    "archive": ("streams/archive*.py", "streams/decisions.py"),
    "shadow": ("streams/shadow*.py", "streams/challenger.py"),
    "retrain": ("workers/retrain/**/*.py", "workers/promotion.py", "infra/model_events.py"),
    "monitor": ("workers/monitor/**/*.py",),
    "gateway": ("workers/gateway/**/*.py", "workers/promotion.py", "infra/model_events.py"),
}
READS = r"(?:Follower\(|app\.topic\(|reader_client\(bootstrap, )\*?([A-Z_]+)"
WRITES = r"(?:\.deliver\(|send_and_wait\(\s*)([A-Z_]+)\b"


def rows() -> dict[str, list[set[str]]]:
    """The table's rows: by process, what it reads, what it writes, its group."""
    section = PAGE.partition("## Least privilege at the brokers")[2].partition("\n## ")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:2] == "| "]
    return {row[0]: [{one.strip() for one in cell.split(",") if one.strip()} for cell in row[1:]] for row in cells[1:]}


def named(process: str, pattern: str) -> set[str]:
    """The topics that its files read or write by name."""
    files = [path for glob in FILES[process] for path in ROOT.glob(glob)]
    assert files
    found = {name for path in files for name in re.findall(pattern, path.read_text())}
    constants = {name: getattr(topics, name) for name in found if isinstance(getattr(topics, name, None), str)}
    several = set(ARCHIVED) if process == "archive" and "TOPICS" in found else set()
    return set(constants.values()) | several


def test_every_process_has_its_row() -> None:
    """Each worker of the command line, and topics that there are."""
    worker = cli.get_command(click.Context(cli), "worker")
    assert isinstance(worker, click.Group)

    assert set(worker.commands) == set(rows())
    known = {spec.name for spec in topics.TOPICS}
    assert all(reads | writes <= known for reads, writes, _ in rows().values())


@pytest.mark.parametrize("process", FILES)
def test_what_the_code_reads_and_writes_is_in_the_table(process: str) -> None:
    """A right that is missing there would stop a process that has no others."""
    reads, writes, _ = rows()[process]

    assert named(process, READS) <= reads
    assert named(process, WRITES) <= writes
    assert named(process, READS) or process in ("monitor", "gateway")


@pytest.mark.parametrize("process", ["classify", "archive", "shadow"])
def test_groups_are_those_that_workers_join(process: str) -> None:
    """By the name in the code."""
    code = (ROOT / f"streams/{process}_worker.py").read_text()
    (group,) = re.findall(r'^GROUP(?:: Final)? = "([\w-]+)"', code, re.MULTILINE)

    assert {group} == rows()[process][2]


def test_every_setting_of_security_is_explained() -> None:
    """By its variable."""
    for name in SecuritySettings.model_fields:
        assert f"AISLE_{name.upper()}`" in PAGE, name
