"""Removes what aisle made in a checkout: the environment, data and caches, never anything else."""

import json
import os
import shutil
import subprocess
import sys
import time
from calendar import timegm
from collections.abc import Iterator
from pathlib import Path

CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache", ".hypothesis")
FOLDERS = (".venv", "var", "dist", "build", *CACHES)
SAME_START_S = 2.0  # ps tells whole seconds, rounded its own way
PACKAGES = ("infra", "model", "schemas", "scripts", "streams", "workers", "tests")


def clean(root: Path) -> int:
    """Remove them; refuses while something of aisle runs on the data. Returns the exit status."""
    alive = sorted(set(live_pids(root / "var" / "run")))
    if alive:
        pids = ", ".join(map(str, alive))
        print(f"aisle: aisle is running here (pid {pids}). Stop it first: make down", file=sys.stderr)
        return 1
    for path in (*(root / name for name in FOLDERS), *_bytecode(root)):
        if _remove(path):
            print(f"removed {path.relative_to(root)}")
    return 0


def live_pids(run_dir: Path) -> Iterator[int]:
    """The processes that the records in a run folder name and that live."""
    for record in run_dir.glob("*.json"):
        try:
            content = json.loads(record.read_text())
        except (OSError, ValueError):
            continue
        yield from (pid for pid, created in _pids(content) if _is_alive(pid, created))


def _pids(content: object) -> Iterator[tuple[int, object]]:
    """Every ``pid`` in a record, at any depth, with the time ``created`` beside it."""
    if isinstance(content, dict):
        pid = content.get("pid")
        if isinstance(pid, int) and not isinstance(pid, bool) and pid > 0:
            yield pid, content.get("created")
        content = list(content.values())
    if isinstance(content, list):
        for part in content:
            yield from _pids(part)


def _is_alive(pid: int, created: object) -> bool:
    """Whether the process runs and is the recorded one: ids are given again. In doubt it is."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    started = _started(pid)
    if started is None or not isinstance(created, (int, float)):
        return True
    return abs(started - created) <= SAME_START_S


def _started(pid: int) -> "float | None":
    """When a process started, in seconds since 1970; None where ps does not say."""
    ps = ("ps", "-o", "lstart=", "-p", str(pid))
    try:
        done = subprocess.run(  # noqa: S603 - the system's own program
            ps, env={**os.environ, "LC_ALL": "C", "TZ": "UTC"}, check=True, capture_output=True, text=True
        )
        return timegm(time.strptime(done.stdout.strip()))
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None


def _bytecode(root: Path) -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((root / package).rglob("__pycache__"))


def _remove(path: Path) -> bool:
    """Remove a folder; of a link, only the link itself."""
    if path.is_symlink():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        return False
    return True
