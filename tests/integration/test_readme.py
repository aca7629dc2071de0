"""The README, taken at its word."""

import asyncio
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from infra.process import settings_variables
from tests.chaos.verify import read
from tests.integration.road import Road, eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(500)]

README = Path("README.md").read_text(encoding="utf-8")
DATA = "model/data/openfoodfacts_fr/openfoodfacts_fr.csv"


def blocks(language: str) -> list[str]:
    """The README's code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines()]
IN_TEXT = sorted(set(re.findall(r"`(aisle [a-z][^`]*)`", README)))


def test_the_demo_counts_every_event(road: Road) -> None:
    """What `make run` shows at its end is in the store: as many items as distinct events went in."""
    from pymongo import MongoClient

    with MongoClient(road.mongodb) as client:  # type: ignore[var-annotated]
        assert client[road.settings.mongodb_database]["items"].count_documents({}) >= 1_358


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("make ")])
def test_make_targets_are_there(command: str) -> None:
    """The make commands lead to the bootstrap script (what they run is tested by what they run)."""
    planned = subprocess.run(
        [*shlex.split(command), "--dry-run"], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
    )
    assert f"scripts/bootstrap.py {command.split()[1]}" in planned.stdout


@pytest.mark.parametrize("command", [line for line in COMMANDS + IN_TEXT if line.startswith("aisle ")])
async def test_commands_work_as_they_stand(road: Road, command: str) -> None:
    """Each command, word for word but for the user's own file names, does what it says."""
    bundle = next((road.settings.data_dir / "models").glob("2*"))
    words = shlex.split(command.replace("var/models/VERSION", str(bundle)).replace("products.csv", DATA))[1:]
    if "…" in command or words[0] in {"up", "watch"}:
        words = [words[0], "--help"] if words[0] != "watch" else ["watch", "--from-start", "--limit", "3", *words[1:]]
    if words[0] == "replay":
        words += ["--limit", "500"]
    if words[0] == "train":
        words += ["--no-promote"]
    if words == ["models", "rollback"]:  # there is but one model here; test_worker goes back to a former one
        words += ["--help"]
    done = road.aisle(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


async def test_the_first_own_product_is_classified(road: Road) -> None:
    """The Python example works as printed, on the address that the local broker has."""
    (program,) = blocks("python")
    address = "127.0.0.1:9092"
    assert address in program
    sent = await asyncio.create_subprocess_exec(sys.executable, "-c", program.replace(address, road.kafka))
    assert await sent.wait() == 0

    async def classified() -> bool:
        return any(key == b"my-1" for _, _, _, key in await read(road.kafka, "predictions.out"))

    await eventually(classified, 60)


def test_aisle_up_is_what_the_readme_runs(road: Road) -> None:
    """`aisle up --workers 2` runs two classify workers and one archive."""
    assert len(road.pids("worker", "classify")) == 2
    assert len(road.pids("worker", "archive")) == 1
    assert settings_variables(road.settings)["AISLE_DATA_DIR"] == str(road.settings.data_dir.resolve())
