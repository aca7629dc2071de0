"""The Makefile documents itself and has one mechanism."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.bootstrap import HELP

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no make here: scripts/bootstrap.py is used alone")

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = {"run", "test", "lint", "format", "docs", "bench", "chaos", "train", "up", "down", "lock", "clean"}
TARGETS |= {"release-check", "audit", "sbom", "coverage"}


def make(*arguments: str) -> str:
    """What make prints, also when the tests themselves were started by make."""
    environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        ["make", *arguments],  # noqa: S607 - make is where the user has it
        cwd=ROOT,
        env=environ,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


@pytest.mark.parametrize("arguments", [(), ("help",)])
def test_make_lists_every_target(arguments: tuple[str, ...]) -> None:
    """`make` alone does nothing but tell what there is, one line each."""
    lines = make(*arguments).splitlines()

    assert {line.split()[1] for line in lines} == TARGETS | {"help"}
    assert all(len(line.split(maxsplit=2)) == 3 for line in lines)


def test_every_target_is_phony() -> None:
    """A file named `test` does not stop `make test`."""
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)

    assert phony is not None
    assert set(phony[1].split()) == TARGETS | {"help"}


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_every_target_goes_through_the_bootstrap(target: str) -> None:
    """One mechanism: what make runs, `python3 scripts/bootstrap.py` runs too."""
    assert make("--dry-run", target).strip().startswith(f"python3 scripts/bootstrap.py {target}")
    assert re.search(rf"^  {target} ", HELP, re.MULTILINE)


@pytest.mark.parametrize("target", sorted(TARGETS - {"lint", "format", "docs", "clean"}))
def test_arguments_are_passed_on(target: str) -> None:
    """ARGS goes to the command as it is."""
    assert make("--dry-run", target, "ARGS=--once -k 'a b'").strip().endswith(f"{target} --once -k 'a b'")


def test_only_what_an_old_make_knows_is_used() -> None:
    """MacOS has GNU make 3.81: no newer functions, no one-shell, no grouped targets."""
    assert not re.search(r"\.ONESHELL|\.RECIPEPREFIX|\$\((?:file|guile|let|intcmp) |!=|&:", MAKEFILE)
