"""What is shipped: the folders of the design and nothing else, under names that no dependency uses."""

import subprocess
import tomllib
from importlib.metadata import distributions
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

from scripts.release import build

ROOT = Path(__file__).parents[2]
FOLDERS = {"infra", "model", "schemas", "scripts", "streams", "workers"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """The wheel that is built of this checkout's sdist, without the network: so what it has, the sdist has."""
    return ZipFile(build(ROOT, tmp_path_factory.mktemp("wheel")))


def test_the_wheel_ships_the_folders_of_the_design(wheel: ZipFile) -> None:
    """Every folder is there, tests/ and tools are not."""
    tops = {PurePosixPath(name).parts[0] for name in wheel.namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == FOLDERS


def test_the_wheel_ships_every_file_that_the_code_reads(wheel: ZipFile) -> None:
    """Modules and their data, the built-in taxonomy and the locked jars among them."""
    ours = {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    tracked = subprocess.run(
        ["git", "ls-files", *sorted(FOLDERS)],  # noqa: S607 - git is where the user has it
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    ).stdout.split()

    assert set(tracked) & ours <= set(wheel.namelist())
    assert {"schemas/taxonomy.csv", "scripts/cli.py"} <= set(wheel.namelist())


def test_the_wheel_brings_the_command(wheel: ZipFile) -> None:
    """`aisle` is its one console script, and the licence is in it."""
    entry_points = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))

    assert wheel.read(entry_points).decode().split() == ["[console_scripts]", "aisle", "=", "scripts.cli:main"]
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())


def test_no_dependency_ships_a_name_of_ours() -> None:
    """`import model` finds our model/, whatever else is installed."""
    clashes = {
        (distribution.name, file.parts[0])
        for distribution in distributions()
        if distribution.name != "aisle"
        for file in distribution.files or ()
        if file.parts[0].removesuffix(".py") in FOLDERS
    }

    assert clashes == set()


def test_the_build_configuration_names_the_folders() -> None:
    """A new folder of the design is shipped only when it is named."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == FOLDERS
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} == FOLDERS | {"tests"}
