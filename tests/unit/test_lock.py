"""The lock files: a hash for everything, no addresses, in step with pyproject.toml."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-run.lock", "requirements-bootstrap.lock", "requirements-bench.lock")
BENCH = [
    line for line in (ROOT / "tests" / "bench" / "requirements.in").read_text().splitlines() if not line.startswith("#")
]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def entries(name: str) -> list[str]:
    """The entries of a lock file, each a requirement with its hashes."""
    return re.split(r"\n(?=\S)", (ROOT / name).read_text().strip())


def pins(name: str) -> dict[str, set[Version]]:
    """The versions that a lock names, by package; several where markers tell platforms apart."""
    found: dict[str, set[Version]] = {}
    for entry in entries(name):
        package, version = re.match(r"([\w.-]+)==([^\s;]+)", entry).groups()  # type: ignore[union-attr]
        found.setdefault(canonicalize_name(package), set()).add(Version(version))
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_pinned_and_hashed(name: str) -> None:
    """What is installed is what was locked, byte by byte."""
    for entry in entries(name):
        assert re.fullmatch(r"[\w.-]+==[^\s;]+( ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+", entry), entry


@pytest.mark.parametrize("name", LOCKS)
def test_there_are_no_addresses(name: str) -> None:
    """Each user's own index serves: neither an index nor a link nor a path is written down."""
    assert not re.search(r"://|--(extra-)?index|--find-links|@ |file:|^/", (ROOT / name).read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "requirements"),
    [
        ("requirements.lock", PROJECT["project"]["dependencies"]),
        ("requirements.lock", PROJECT["project"]["optional-dependencies"]["dev"]),
        ("requirements.lock", PROJECT["project"]["optional-dependencies"]["docs"]),
        ("requirements.lock", PROJECT["build-system"]["requires"]),
        ("requirements-run.lock", PROJECT["project"]["dependencies"]),
        ("requirements-bench.lock", PROJECT["project"]["dependencies"]),
        ("requirements-bench.lock", BENCH),
    ],
)
def test_what_the_project_asks_for_is_locked(name: str, requirements: list[str]) -> None:
    """A dependency that was added or moved in pyproject.toml is in the lock; `make lock` writes it."""
    locked = pins(name)
    for text in requirements:
        requirement = Requirement(text)
        versions = locked.get(canonicalize_name(requirement.name), set())
        assert versions, f"{text} is not in {name}: make lock"
        assert all(requirement.specifier.contains(version) for version in versions), f"{text}: make lock"


def test_the_image_has_the_same_versions_without_the_tools() -> None:
    """The container's lock is a part of the whole one, entry by entry, and brings no test or lint tool."""
    assert set(entries("requirements-run.lock")) < set(entries("requirements.lock"))
    assert not {"pytest", "ruff", "mypy", "hypothesis", "pre-commit", "hatchling"} & set(pins("requirements-run.lock"))


def test_the_bootstrap_pins_uv_alone() -> None:
    """The first entry is the pin that the installer compares with."""
    assert set(pins("requirements-bootstrap.lock")) == {"uv"}
    assert re.fullmatch(r"uv==\d+\.\d+\.\d+", (ROOT / "requirements-bootstrap.lock").read_text().split()[0])
