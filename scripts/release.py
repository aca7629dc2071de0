"""What a release is held to: ``python -m scripts.release check`` (or ``audit``, ``sbom``, ``coverage``), by make."""

import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.bootstrap import ROOT, fail

BIN = Path(sys.executable).parent
SHIPPED_LOCK = "requirements-run.lock"
COVERED = ("schemas", "streams", "workers", "infra")
AT_LEAST = 90
"""Per cent of the lines of each of these folders."""
KEPT = ("PATH", "LANG", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
"""Of the environment, what the way to the network needs and no more."""
TRIED = (("--help",), ("config",), ("doctor",), ("demo", "--once"))


def check() -> int:
    """Build sdist and, of it, wheel; install that in an empty environment, and let it classify products there."""
    with TemporaryDirectory(prefix="aisle-release-") as name:
        folder = Path(name)
        wheel = build(ROOT, folder)
        python = folder / "venv" / "bin" / "python"
        # What pyproject.toml tells uv is for making the locks, and has no hashes.
        install = (str(BIN / "uv"), "pip", "install", "--no-config", "--quiet", "--python", str(python))
        run(str(BIN / "uv"), "venv", "--quiet", "--python", sys.executable, str(folder / "venv"))
        run(*install, "--require-hashes", "-r", str(ROOT / SHIPPED_LOCK))
        run(*install, "--no-deps", str(wheel))
        home = folder / "home"
        home.mkdir()
        environ = {name: os.environ[name] for name in KEPT if name in os.environ} | {"HOME": str(home)}
        for arguments in TRIED:
            run(str(python.with_name("aisle")), *arguments, cwd=home, env=environ)
    print(f"aisle: {wheel.name} works in an environment of its own.")
    return 0


def build(source: Path, folder: Path) -> Path:
    """The wheel that is made of the sdist of a checkout; both are left in a folder.

    Raises:
        CalledProcessError: One cannot be built.
    """
    run(sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", str(folder), cwd=source)
    packed = next(folder.glob("*.tar.gz"))
    with tarfile.open(packed) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    unpacked = folder / "unpacked" / packed.name.removesuffix(".tar.gz")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder), cwd=unpacked)
    return next(folder.glob("*.whl"))


def audit() -> int:
    """Ask for known vulnerabilities of what is shipped; what could not be asked about counts as a failure.

    An index without advisories leaves every package out: that is no good word, and without ``--strict`` would be one.
    """
    lock = ("--requirement", SHIPPED_LOCK, "--require-hashes", "--disable-pip")
    return run(str(BIN / "pip-audit"), *lock, "--strict", "--progress-spinner", "off")


def sbom() -> int:
    """Write the software bill of materials of what is shipped (CycloneDX, JSON) to dist/."""
    target = ROOT / "dist" / "aisle.cdx.json"
    target.parent.mkdir(exist_ok=True)
    run(
        *(str(BIN / "cyclonedx-py"), "requirements", SHIPPED_LOCK, "--pyproject", "pyproject.toml"),
        *("--output-reproducible", "--output-format", "JSON", "--output-file", str(target)),
    )
    print(f"aisle: {target.relative_to(ROOT)}")
    return 0


def coverage() -> int:
    """Run the suite, its processes included, and hold each folder to its share of lines."""
    tool = str(BIN / "coverage")
    run(tool, "erase")
    tested = run(tool, "run", "-m", "pytest", "--numprocesses=2", *sys.argv[2:], may_fail=True)
    run(tool, "combine", "--quiet")
    low = [
        folder
        for folder in COVERED
        if run(tool, "report", f"--include={folder}/*", f"--fail-under={AT_LEAST}", may_fail=True)
    ]
    return fail(f"below {AT_LEAST} %: {', '.join(low)}") if low else tested


def run(*command: str, cwd: Path = ROOT, env: dict[str, str] | None = None, may_fail: bool = False) -> int:
    """Run a command and say so; its exit status.

    Raises:
        CalledProcessError: It failed and may not.
    """
    print(f"$ {' '.join((Path(command[0]).name, *command[1:]))}", flush=True)
    return subprocess.run(command, cwd=cwd, env=env, check=not may_fail).returncode  # noqa: S603 - fixed programs


def main() -> int:
    """The exit status of what was asked for."""
    commands: dict[str, Callable[[], int]] = {"check": check, "audit": audit, "sbom": sbom, "coverage": coverage}
    try:
        return commands[sys.argv[1]]()
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        return fail(str(error))


if __name__ == "__main__":
    sys.exit(main())
